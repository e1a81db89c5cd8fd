import Foundation
import TraceBuilding

/// The built `tlbreplay`, run as a user would run it.
enum Tool {
  /// What a run left behind.
  struct Run {
    var exitCode: Int32
    var output: String
    var errors: String
    /// The output as JSON.
    func json() throws -> JSON { try JSON(parsing: output) }
  }

  /// The executable beside the test bundle, in whichever build directory that is.
  static let executable: URL = {
    var directory = URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent()
    while directory.path != "/" {
      let candidate = directory.appending(path: "tlbreplay")
      var isDirectory: ObjCBool = false
      if FileManager.default.fileExists(atPath: candidate.path, isDirectory: &isDirectory),
        !isDirectory.boolValue
      {
        return candidate
      }
      directory = directory.deletingLastPathComponent()
    }
    return Fixture.root.appending(path: ".build/debug/tlbreplay")
  }()

  /// Runs it in `Traces/` and waits; kills it after `seconds`.
  static func run(
    _ arguments: [String], input: Data? = nil, environment: [String: String] = [:],
    seconds: Double = 60
  ) throws -> Run {
    let process = Process()
    process.executableURL = executable
    process.arguments = arguments
    process.currentDirectoryURL = Fixture.traces
    process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
    // Files, not pipes: neither side can block the other.
    let scratch = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    try FileManager.default.createDirectory(at: scratch, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: scratch) }
    let outputFile = scratch.appending(path: "out")
    let errorFile = scratch.appending(path: "err")
    for file in [outputFile, errorFile] {
      try Data().write(to: file)
    }
    process.standardOutput = try FileHandle(forWritingTo: outputFile)
    process.standardError = try FileHandle(forWritingTo: errorFile)
    let pipe = Pipe()
    process.standardInput = input == nil ? FileHandle.nullDevice : pipe
    try process.run()
    if let input {
      try? pipe.fileHandleForWriting.write(contentsOf: input)
      try? pipe.fileHandleForWriting.close()
    }
    let deadline = Date(timeIntervalSinceNow: seconds)
    while process.isRunning, Date() < deadline { usleep(1000) }
    if process.isRunning {
      process.terminate()
      process.waitUntilExit()
      return Run(exitCode: -1, output: "", errors: "still running after \(seconds) s")
    }
    process.waitUntilExit()
    let code =
      process.terminationReason == .exit
      ? process.terminationStatus : -process.terminationStatus
    return Run(
      exitCode: code,
      output: String(decoding: try Data(contentsOf: outputFile), as: UTF8.self),
      errors: String(decoding: try Data(contentsOf: errorFile), as: UTF8.self))
  }

  /// `stat --json` of a file.
  static func stat(_ path: String, _ arguments: [String] = []) throws -> JSON {
    let run = try Tool.run(["stat", "--json", path] + arguments)
    guard run.exitCode == 0 else { throw Failure(run: run) }
    return try run.json()
  }

  /// A run that should have succeeded.
  struct Failure: Error, CustomStringConvertible {
    var run: Run
    var description: String { "exit \(run.exitCode): \(run.errors)" }
  }
}
