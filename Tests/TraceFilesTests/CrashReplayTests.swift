import Foundation
import Testing
import TraceChecking

/// Inputs that a fuzzer found, or that are made to be nasty: none may crash, hang or break what holds
/// for every input. `Tools/run-fuzzer` adds to them; the name says which target an input belongs to.
@Suite struct CrashReplayTests {
  private static let directory = Fixtures.traces.deletingLastPathComponent()
    .appending(path: "Tools/Fuzz/Crashes")

  static func inputs(_ prefix: String) -> [String] {
    let names =
      (try? FileManager.default.contentsOfDirectory(
        atPath: directory.path(percentEncoded: false))) ?? []
    return names.filter { $0.hasPrefix("Fuzz") && $0.hasPrefix(prefix) == !prefix.isEmpty }.sorted()
  }

  static let captures = inputs("FuzzCapture-")
  static let traces = ["FuzzTraceDat-", "FuzzPerfData-", "FuzzText-"].flatMap(inputs)

  @Test func thereAreInputs() {
    #expect(Self.traces.count >= 10)
    #expect(!Self.captures.isEmpty)
  }

  @Test(.timeLimit(.minutes(1)), arguments: traces)
  func aTraceKeepsTheInvariants(_ name: String) throws {
    let path = Self.directory.appending(path: name).path(percentEncoded: false)
    #expect(throws: Never.self) { _ = try InputCheck.check(path) }
  }

  @Test(.timeLimit(.minutes(1)), arguments: captures)
  func aCaptureKeepsTheInvariants(_ name: String) throws {
    let bytes = [UInt8](try Data(contentsOf: Self.directory.appending(path: name)))
    let parent = FileManager.default.temporaryDirectory.path(percentEncoded: false)
    let scratch = try #require(ScratchCapture(in: parent))
    #expect(try bytes.withUnsafeBytes { try scratch.check($0) } != nil)
  }

  private struct Key: Decodable {
    var total: Int
  }

  /// The check itself: a whole real trace passes it with all its rows.
  @Test(arguments: ["td-a-v7-clock-mono.dat", "pd-a-g.data", "ps-a-cpus.txt"])
  func aRealTracePasses(_ name: String) throws {
    let data = try Data(contentsOf: Fixtures.formats.appending(path: "\(name).key.json"))
    let key = try JSONDecoder().decode(Key.self, from: data)
    #expect(try InputCheck.check(Fixtures.path(name)) == .read(rows: key.total))
  }
}
