import Foundation
import Testing
import TraceBuilding

/// A profile and what report makes of it, through the command line.
struct ProfileTests {
  /// Two loops over pages, fetches in between.
  private static let trace = (0..<20_000).map { index in
    let page = String(0x4000 + index % 90, radix: 16)
    return "I  00401000,3\n \(index % 3 == 0 ? "S" : "L") \(page)000000,8\n"
  }.joined()

  private func withDirectory<Result>(_ body: (String) throws -> Result) throws -> Result {
    let directory = FileManager.default.temporaryDirectory.appendingPathComponent(
      "tlbreplay-profile-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: directory) }
    try Data(Self.trace.utf8).write(to: directory.appendingPathComponent("trace.txt"))
    return try body(directory.path)
  }

  private static var capture: String { Fixture.path("luf-pairs/burst-16/0.1") }

  @Test func aProfileIsTheSameTwiceAndGivesMisses() throws {
    try withDirectory { directory in
      let profile = "\(directory)/a.profile"
      let run = try Tool.run(["profile", "\(directory)/trace.txt", "-o", profile])
      #expect(run.exitCode == 0)
      #expect(run.errors.contains("40000 accesses, 1 windows, 91 pages"), "\(run.errors)")
      let text = try String(contentsOfFile: profile, encoding: .utf8)
      #expect(text.hasPrefix("schema tlbreplay.profile/1\nsource accesses\n"))
      _ = try Tool.run(["profile", "\(directory)/trace.txt", "-o", "\(directory)/b.profile"])
      #expect(try String(contentsOfFile: "\(directory)/b.profile", encoding: .utf8) == text)

      let report = try Tool.run(["report", "--profile", profile, Self.capture])
      #expect(report.exitCode == 0)
      #expect(report.output.contains("TLB misses: completed page walks"))
      #expect(report.output.contains("curve: profile"))
      let json = try Tool.run(["report", "--json", "--profile", profile, Self.capture])
      let document = try json.json()
      let policies = document["policies"].elements
      var made: [Int] = []
      for policy in policies {
        let misses = policy["tlb_misses"]["dtlb_load"]
        let lower = try #require(misses["lower"].integer)
        let value = try #require(misses["value"].integer)
        let upper = try #require(misses["upper"].integer)
        #expect(lower <= value && value <= upper && misses["grade"] == .string("modelled"))
        made.append(try #require(misses["flush_made"]["value"].integer))
      }
      // A policy that avoids nine tenths of the flushes avoids walks.
      #expect(made.count == 2 && made[1] * 2 < made[0], "\(made)")
    }
  }

  /// 91 pages, of which one is fetched: without flushes each is walked once; with a flush every 400
  /// accesses (200 of data) all of them again.
  @Test func aMachineWalksTheAccessesExactly() throws {
    try withDirectory { directory in
      // Sixteen pages apart, so that all 90 find room in their sets.
      let trace = Self.trace.replacing("000000,8", with: "0000,8")
      try Data(trace.utf8).write(to: URL(filePath: "\(directory)/near.txt"))
      let arguments = [
        "profile", "\(directory)/near.txt", "-o", "\(directory)/a.profile", "--machine",
        "sapphire-rapids", "--flush-every", "400",
      ]
      let json = try Tool.run(arguments + ["--json"]).json()
      #expect(json["schema"] == .string("tlbreplay.profile/1"))
      let runs = json["runs"].elements
      #expect(runs.count == 2 && runs[0]["flush_every"] == .null)
      func walks(_ run: Int) -> [Int?] {
        ["dtlb_load", "dtlb_store", "itlb"].map { runs[run][$0]["walks"].integer }
      }
      #expect(walks(0) == [60, 30, 1])
      #expect(runs[1]["flushes"].integer == 99)
      #expect(walks(1).compactMap { $0 }.reduce(0, +) == 91 * 100)
      let text = try Tool.run(arguments)
      #expect(text.exitCode == 0 && text.output.contains("Completed page walks"))
      // The title holds the path.
      #expect(text.output.components(separatedBy: "\n").dropFirst(2).allSatisfy { $0.count <= 80 })
    }
  }

  @Test(arguments: [
    ["--flush-every", "100"], ["--json"], ["--machine", "sapphire-rapids", "--flush-every", "0"],
    ["--machine", "no-such"],
  ])
  func wrongSimulationsAreRefused(_ options: [String]) throws {
    try withDirectory { directory in
      let run = try Tool.run(
        ["profile", "\(directory)/trace.txt", "-o", "\(directory)/a.profile"] + options)
      #expect(run.exitCode == 2, "\(run.errors)")
    }
  }

  @Test func withoutAProfileThereIsABoundAndAReason() throws {
    let json = try Tool.run(["report", "--json", Self.capture])
    let document = try json.json()
    let misses = try #require(document["policies"].elements.first)["tlb_misses"]
    #expect(misses["dtlb_load"] == .null && misses["itlb"] == .null)
    #expect(misses["reason"] == .string("no event of this trace shows memory accesses"))
    let flushes = try #require(misses["bound"]["full_flushes"].integer)
    let bound = try #require(misses["bound"]["flush_made_upper"].integer)
    #expect(flushes > 1000 && bound <= 2048 * flushes && bound > flushes)
  }

  @Test func whatIsNoTraceOrNoProfileIsRefused() throws {
    try withDirectory { directory in
      let readme = Fixture.root.appending(path: "README.md").path
      let foreign = try Tool.run(["profile", readme, "-o", "\(directory)/x"])
      #expect(foreign.exitCode == 3 && foreign.errors.contains("byte 0: is no access stream"))
      #expect(!FileManager.default.fileExists(atPath: "\(directory)/x"))
      let profile = try Tool.run(["report", "--profile", readme, Self.capture])
      #expect(profile.exitCode == 3 && profile.errors.contains("is no profile"))
      let skipped = try Tool.run([
        "profile", "\(directory)/trace.txt", "-o", "\(directory)/x", "--skip", "1000000",
      ])
      #expect(skipped.exitCode == 3)
      for usage in [
        ["report", "--accesses-per-second", "1e9", Self.capture],
        ["report", "--profile", readme, "--accesses-per-second", "9-1", Self.capture],
        ["report", "--machine", "nothing", Self.capture],
        ["profile", "\(directory)/trace.txt"],
      ] {
        #expect(try Tool.run(usage).exitCode == 2, "\(usage)")
      }
    }
  }
}
