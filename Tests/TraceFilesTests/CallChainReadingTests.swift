import Foundation
import Testing
import TraceBuilding
import TraceEvents

@testable import TraceFiles

/// Call chains as rows of batches.
@Suite struct CallChainReadingTests {
  /// A flush with the chains that follow it.
  private struct Flush: Equatable {
    var cpu: UInt16
    var task: Int32
    var reason: Int64
    var kernel: [UInt64] = []
    var user: [UInt64] = []
  }

  private func flushes(_ path: String, order: EventOrder = .time) throws -> (
    [Flush], EventDirectory
  ) {
    let input = try TraceInput(path)
    var reader = try input.makeReader(ReadRequest(order: order, readsCallChains: true))
    var batch = EventBatch()
    var found: [Flush] = []
    var last: [UInt16: Int] = [:]
    while try reader.next(into: &batch) {
      for row in 0..<batch.count {
        switch batch.kind(row) {
        case .tlbFlush:
          last[batch.cpu(row)] = found.count
          found.append(
            Flush(
              cpu: batch.cpu(row), task: batch.task(row),
              reason: batch.signedWord(row, TLBFlush.reason)))
        case .kernelStack, .userStack:
          guard let place = last[batch.cpu(row)] else { continue }
          let chain = UInt32(truncatingIfNeeded: batch.word(row, 0))
          let frames = reader.directory.callChains.frames(chain)
          if batch.kind(row) == .kernelStack {
            if found[place].kernel.isEmpty { found[place].kernel = frames }
          } else if found[place].user.isEmpty {
            found[place].user = frames
          }
        default: last[batch.cpu(row)] = nil
        }
      }
    }
    return (found, reader.directory)
  }

  /// The frames of flushes equal those that the reader of whole samples finds.
  @Test(arguments: ["pd-a-g.data", "pd-a-gmix.data", "pd-a-guser.data"])
  func chainsOfPerfDataEqualThoseOfItsSamples(_ name: String) throws {
    let path = Fixture.path("formats/\(name)")
    var reader = try PerfStackReader(path)
    var sample = PerfStackSample()
    var samples: [String] = []
    while reader.next(into: &sample) {
      guard sample.event == EventKind.tlbFlush.rawValue, sample.hasChain else { continue }
      samples.append(
        "\(sample.cpu ?? 0) \(sample.task) \(sample.kernelFrames) \(sample.userFrames)")
    }
    let (own, _) = try flushes(path)
    let initiators = own.filter { FlushReason.initiators.contains($0.reason) }
    #expect(!initiators.isEmpty)
    // Each of them is a sample of its own.
    for flush in initiators {
      let line = "\(flush.cpu) \(flush.task) \(flush.kernel) \(flush.user)"
      let place = samples.firstIndex(of: line)
      if !flush.kernel.isEmpty || !flush.user.isEmpty { #expect(place != nil, "\(line)") }
      if let place { samples.remove(at: place) }
    }
    #expect(own.allSatisfy { FlushReason.initiators.contains($0.reason) || $0.kernel.isEmpty })
  }

  /// Texts name functions where binary traces have addresses: the same chains, frame by frame.
  @Test(arguments: [
    ("pd-a-g.data", "ps-a-g-default.txt"), ("td-a-v7-stack.dat", "tcr-a-stack.txt.gz"),
  ])
  func chainsOfTextsHaveTheFramesOfTheirBinaries(_ binary: String, _ text: String) throws {
    let (addresses, _) = try flushes(Fixture.path("formats/\(binary)"))
    let (names, directory) = try flushes(Fixture.path("formats/\(text)"))
    #expect(addresses.map(\.kernel.count) == names.map(\.kernel.count))
    #expect(addresses.map(\.user.count) == names.map(\.user.count))
    var functions: [UInt64: String] = [:]
    for (one, other) in zip(addresses, names) {
      for (address, word) in zip(one.kernel, other.kernel) {
        let name = try #require(FunctionName.symbol(word, in: directory))
        #expect(functions[address] == nil || functions[address] == name)
        #expect(!name.contains("+0x") && !name.contains(" "))
        functions[address] = name
      }
    }
    #expect(functions.values.contains("do_madvise"))
  }

  @Test func userStacksOfTextsAreAddressesOrPlacesInFiles() throws {
    let (addressed, _) = try flushes(Fixture.path("formats/ft-a-userstack.txt"))
    #expect(addressed[0].user == [0x46_10d3] && addressed[0].kernel.isEmpty)
    let (named, directory) = try flushes(Fixture.path("formats/ft-a-usersymobj.txt"))
    #expect(FunctionName.symbol(named[0].user[0], in: directory) == "busybox+0x600d3")
  }

  /// Without the request nothing changes, and with it nothing but rows of stacks.
  @Test(arguments: [
    "pd-a-g.data", "ps-a-g-default.txt", "ft-a-stack.txt", "tcr-a-stack.txt.gz",
    "td-a-v7-stack.dat",
  ])
  func otherRowsStayTheSame(_ name: String) throws {
    func rows(_ readsCallChains: Bool) throws -> [String] {
      let input = try TraceInput(Fixture.path("formats/\(name)"))
      var reader = try input.makeReader(
        ReadRequest(order: .time, readsCallChains: readsCallChains))
      var batch = EventBatch()
      var rows: [String] = []
      while try reader.next(into: &batch) {
        for row in 0..<batch.count
        where batch.kind(row) != .kernelStack && batch.kind(row) != .userStack {
          rows.append("\(batch.timestamp(row)) \(batch.cpu(row)) \(batch.event(row))")
        }
      }
      return rows
    }
    #expect(try rows(true) == rows(false))
  }

  /// Damaged chains, with counts and markers of any kind, are read or refused.
  @Test(arguments: 1...40 as ClosedRange<UInt64>)
  func damagedChainsDoNotCrash(_ seed: UInt64) throws {
    var random = SplitMix64(seed: seed)
    let names = ["pd-a-g.data", "td-a-v7-stack.dat", "ps-a-g-default.txt", "ft-a-stack.txt"]
    let path = Fixture.path("formats/\(names[random.number(names.count)])")
    var bytes = [UInt8](try Data(contentsOf: URL(filePath: path)))
    for _ in 0..<(1 + random.number(200)) {
      let at = random.number(bytes.count)
      switch random.number(4) {
      case 0: bytes[at] = 0xff
      case 1: bytes[at] = 0
      case 2: bytes[at] = UInt8(truncatingIfNeeded: random.next())
      default:
        // A marker, or a count, in the place of anything.
        for (index, byte) in [0x80, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff].enumerated()
        where at & ~7 + index < bytes.count {
          bytes[at & ~7 + index] = UInt8(byte)
        }
      }
    }
    let file = FileManager.default.temporaryDirectory.appending(path: "chains-\(UUID().uuidString)")
    try Data(bytes).write(to: file)
    defer { try? FileManager.default.removeItem(at: file) }
    do {
      _ = try flushes(file.path)
    } catch is TraceError {}
  }
}
