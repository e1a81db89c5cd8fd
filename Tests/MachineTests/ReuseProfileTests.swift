import Testing
import TraceEvents

@testable import Machine

struct ReuseProfileTests {
  private static func sample() -> ReuseProfile {
    var recorder = ReuseRecorder(windowLength: 1000)
    recorder.record(randomStream(2500, pages: 90, seed: 1))
    return recorder.finish(source: .accesses)
  }

  @Test func textReadsBackAsItself() throws {
    let profile = Self.sample()
    let read = try ReuseProfile(text: Array(profile.text.utf8))
    #expect(read == profile)
    #expect(read.text == profile.text)
  }

  @Test func textIsAsDocumented() throws {
    var window = ReuseWindow()
    window.add(7, .load, bin: 1)
    window.add(5, .store, bin: ReuseBins.index(of: 64))
    window.addFirstTouches(2, .fetch)
    let profile = ReuseProfile(source: .accesses, interval: 1, pages: 3, windows: [window])
    #expect(
      profile.text == """
        schema tlbreplay.profile/1
        source accesses
        interval 1
        pages 3
        windows 1
        window 14
        first 2 0 0
        1 0 7 0
        64 0 0 5
        end

        """)
  }

  @Test(arguments: [
    ("schema tlbreplay.profile/1", "schema tlbreplay.profile/2", 0),
    ("source accesses", "source dreams", 27),
    ("interval 1", "interval 0", 43),
    ("windows 1", "windows 600", 62),
    ("window 14", "window 15", 72),
    ("first 2 0 0", "first 2 0", 82),
    ("1 0 7 0\n64", "64 0 7 0\n1", 103),
    ("64 0 0 5", "65 0 0 5\n65 0 0 0", 102),
    ("64 0 0 5", "66 0 0 99999999999999999999999", 102),
    ("64 0 0 5", "67 0 0 5", 102),
    ("end\n", "end", 111),
    ("end\n", "end\nmore\n", 111),
  ])
  func damageIsNamedWithItsPlace(old: String, new: String, offset: Int) throws {
    let text = """
      schema tlbreplay.profile/1
      source accesses
      interval 1
      pages 3
      windows 1
      window 14
      first 2 0 0
      1 0 7 0
      64 0 0 5
      end

      """
    _ = try ReuseProfile(text: Array(text.utf8))
    let damaged = try text.replaced(old, new)
    let error = #expect(throws: ReuseProfileError.self) {
      try ReuseProfile(text: Array(damaged.utf8))
    }
    #expect(error?.offset == offset, "\(new): \(error?.message ?? "")")
  }

  @Test func everyCutAndFlippedByteIsReadOrRefused() {
    let text = Array(Self.sample().text.utf8)
    for end in stride(from: 0, to: text.count, by: 7) {
      #expect(throws: ReuseProfileError.self) { try ReuseProfile(text: Array(text[..<end])) }
    }
    for index in stride(from: 0, to: text.count, by: 3) {
      var flipped = text
      flipped[index] ^= 0x11
      // Not crashing is what counts; some flips make another profile.
      _ = try? ReuseProfile(text: flipped)
    }
  }
}

extension String {
  /// With the one place where `old` stands replaced.
  fileprivate func replaced(_ old: String, _ new: String) throws -> String {
    let parts = split(separator: old, omittingEmptySubsequences: false)
    try #require(parts.count == 2)
    return parts.joined(separator: new)
  }
}

struct PagePopularityTests {
  @Test func independentAccessesGiveTheFootprintOfTheirShares() {
    // IRM: f(t) = sum over pages of 1 - (1 - p)^t.
    var popularity = PagePopularity()
    var accesses: [PageAccess] = []
    for page in 0..<40 {
      for hit in 0...page {
        accesses.append(PageAccess(page: UInt64(page), class: hit % 3 == 0 ? .store : .load))
      }
    }
    popularity.record(accesses)
    let curve = FootprintCurve(popularity.profile().windows[0])
    for time in [1, 5, 50, 500, 5000] {
      let exact = (0..<40).reduce(0.0) { sum, page in
        let stays = 1 - Double(page + 1) / Double(accesses.count)
        return sum + 1 - (0..<time).reduce(1.0) { power, _ in power * stays }
      }
      let footprint = curve.footprint(in: UInt64(time))
      #expect(abs(footprint / exact - 1) < 0.003, "t \(time): exact \(exact), \(footprint)")
    }
    #expect(popularity.profile().source == .independent)
    // Shares by class stay what they were.
    let window = popularity.profile().windows[0]
    let stores = Double(accesses.filter { $0.class == .store }.count) / Double(accesses.count)
    let share = Double(window.accesses(.store)) / Double(window.accesses)
    #expect(abs(share - stores) < 1e-6)
  }

  @Test func oneSinglePageComesBackAtOnce() {
    var popularity = PagePopularity()
    popularity.record(Array(repeating: PageAccess(page: 1, class: .load), count: 5))
    let curve = FootprintCurve(popularity.profile().windows[0])
    #expect(abs(curve.footprint(in: 1000) - 1) < 1e-9)
  }
}
