import Foundation
public import TraceEvents
import TraceFiles

/// A memory trace that lackey makes of a stock program, on the spot.
public struct AccessCapture: Sendable {
  /// What stands in tables.
  public let name: String
  /// What the shell runs, without Valgrind, where `numbers` and `few` are.
  public let command: String
  /// Accesses left out: start-up.
  public let skip: Int

  /// Programs that a fresh Debian has, and zstd: comparison of neighbours that grow apart, look-ups
  /// in a hash table, a small window that slides, tables of some megabytes, and random touches of more
  /// pages than a TLB has entries.
  public static let all = [
    AccessCapture(name: "sort", command: "sort -n few", skip: 2_500_000),
    AccessCapture(
      name: "awk", command: "awk '{a[$1 % 30011] += NR; b[NR % 7] = b[NR % 7] $1 % 10}' numbers",
      skip: 2_000_000),
    AccessCapture(name: "gzip", command: "gzip -9 -c numbers", skip: 500_000),
    AccessCapture(
      name: "zstd", command: "zstd -3 -q -c --single-thread numbers", skip: 3_000_000),
    AccessCapture(
      name: "shuf", command: "shuf -i 1-800000 -n 400000 --random-source=numbers",
      skip: 4_000_000),
  ]

  /// Whether Valgrind is there.
  public static var isPossible: Bool {
    (try? shell("command -v valgrind >/dev/null", in: FileManager.default.temporaryDirectory)) == 0
  }

  /// Runs the program under lackey and reads `count` accesses behind those that are left out.
  public func accesses(_ count: Int) throws -> [PageAccess] {
    let directory = FileManager.default.temporaryDirectory.appendingPathComponent(
      "tlbreplay-misses-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: directory) }
    try Self.numbers(400_000).write(to: directory.appendingPathComponent("numbers"))
    try Self.numbers(10_000).write(to: directory.appendingPathComponent("few"))
    let trace = directory.appendingPathComponent("trace.txt")
    // A line has 14 bytes or more: so many are enough, and ends the program when there are more.
    let bytes = (skip + count) * 18
    // A pager or locale of the user's would change the stream.
    _ = try Self.shell(
      """
      export LC_ALL=C; valgrind --tool=lackey --trace-mem=yes \(command) 2>&1 >/dev/null \
      | head -c \(bytes) >trace.txt
      """, in: directory)
    return try Self.read(trace.path, skip: skip, count: count)
  }

  /// `count` accesses of a trace behind the first `skip`.
  public static func read(_ path: String, skip: Int, count: Int) throws -> [PageAccess] {
    var reader = try AccessInput(path).makeReader()
    var accesses: [PageAccess] = []
    var batch: [PageAccess] = []
    var left = skip
    while accesses.count < count, try reader.next(into: &batch) {
      let skipped = min(left, batch.count)
      left -= skipped
      accesses.append(contentsOf: batch[skipped...].prefix(count - accesses.count))
    }
    return accesses
  }

  /// Numbers in no order, one a line; the same on every machine.
  private static func numbers(_ count: Int) -> Data {
    var state: UInt64 = 1
    var text: [UInt8] = []
    text.reserveCapacity(11 * count)
    for _ in 0..<count {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      text.append(contentsOf: "\(state >> 33)\n".utf8)
    }
    return Data(text)
  }

  @discardableResult
  private static func shell(_ script: String, in directory: URL) throws -> Int32 {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/bin/sh")
    process.arguments = ["-c", script]
    process.currentDirectoryURL = directory
    process.standardInput = FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    try process.run()
    process.waitUntilExit()
    return process.terminationStatus
  }
}
