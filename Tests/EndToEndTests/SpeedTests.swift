import Foundation
import Glibc
import Testing
import TraceBuilding
import TraceEvents
import TraceWriting

/// Speed as ratios against the stock tool in the same run, and memory as a bound; never a time.
///
/// The tool under test is a debug build: the benchmark (`Tools/Benchmarks`) measures release builds.
@Suite(.serialized) struct SpeedTests {
  static let hasTraceCmd = FileManager.default.isExecutableFile(atPath: "/usr/bin/trace-cmd")

  /// A version 6 file of `events` events over 4 CPUs.
  private func makeTrace(_ events: Int) throws -> URL {
    let file = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    var writer = try TraceDatWriter.create(file.path, TraceDatOptions(cpus: 4, version: .six))
    var random = SplitMix64(seed: 11)
    for cpu in UInt16(0)..<4 {
      try writer.begin(cpu: Int(cpu))
      var time: UInt64 = 1_000_000_000
      for number in 0..<(events / 4) {
        time += UInt64.random(in: 100...3000, using: &random)
        if number % 3 == 0 {
          try writer.append(TraceRow(.tlbFlush, cpu: cpu, task: 7, time: time, 1, .max))
        } else {
          let pfn = UInt64.random(in: 0...0xffff, using: &random)
          try writer.append(TraceRow(.pageFree, cpu: cpu, task: 7, time: time, pfn, 0))
        }
      }
    }
    try writer.finish()
    return file
  }

  /// CPU seconds and peak resident KiB of a command.
  private func cost(_ command: [String]) throws -> (seconds: Double, residentKiB: Int) {
    var child = pid_t()
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0)
    var arguments: [UnsafeMutablePointer<CChar>?] = command.map { strdup($0) } + [nil]
    defer { arguments.forEach { free($0) } }
    try #require(posix_spawn(&child, command[0], &actions, nil, &arguments, environ) == 0)
    // The peak that rusage gives includes the memory of whoever spawned: the kernel notes that of
    // the address space which exec replaces. The child's own high-water mark does not.
    var status: Int32 = 0
    var usage = rusage()
    var residentKiB = 0
    while wait4(child, &status, WNOHANG, &usage) == 0 {
      residentKiB = max(residentKiB, Self.highWaterMark(child) ?? 0)
      usleep(500)
    }
    try #require(status == 0, "\(command) ended with status \(status)")
    func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) / 1e6 }
    return (seconds(usage.ru_utime) + seconds(usage.ru_stime), residentKiB)
  }

  /// `VmHWM` of a running process, KiB.
  private static func highWaterMark(_ process: pid_t) -> Int? {
    let status = try? String(contentsOfFile: "/proc/\(process)/status", encoding: .utf8)
    let line = status?.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
    return line?.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap { Int($0) }
  }

  @Test(.enabled(if: hasTraceCmd)) func statIsFasterThanTraceCmdReport() throws {
    let file = try makeTrace(400_000)
    defer { try? FileManager.default.removeItem(at: file) }
    let ours = try cost([Tool.executable.path, "stat", "--json", file.path])
    let theirs = try cost(["/usr/bin/trace-cmd", "report", "-i", file.path])
    #expect(
      ours.seconds < theirs.seconds, "a debug build took \(ours.seconds / theirs.seconds) times")
  }

  /// Eight times the events, the same memory: nothing grows with the length of a trace.
  @Test func memoryDoesNotGrowWithTheTrace() throws {
    let short = try makeTrace(250_000)
    let long = try makeTrace(2_000_000)
    defer { for file in [short, long] { try? FileManager.default.removeItem(at: file) } }
    let few = try cost([Tool.executable.path, "stat", "--json", short.path])
    let many = try cost([Tool.executable.path, "stat", "--json", long.path])
    #expect(few.residentKiB > 1024, "the child was never seen running")
    #expect(many.residentKiB < few.residentKiB + 8 * 1024)
    #expect(many.residentKiB < 100 * 1024)
  }
}
