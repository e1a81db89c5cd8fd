import Foundation

/// A stock tool that judges what was written, and what it said.
struct StockTool {
  let path: String

  static let traceCmd = StockTool(named: "trace-cmd")
  static let perf = StockTool(named: "perf")

  private init?(named name: String) {
    let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
    let paths = folders.map { "\($0)/\(name)" }
    guard let path = paths.first(where: { FileManager.default.isExecutableFile(atPath: $0) }) else {
      return nil
    }
    self.path = path
  }

  /// Runs it; what it printed, what it complained of, its exit status.
  func run(_ arguments: [String]) throws -> (output: String, complaints: String, status: Int32) {
    let folder = FileManager.default.temporaryDirectory
    let outputFile = folder.appendingPathComponent(UUID().uuidString)
    let errorFile = folder.appendingPathComponent(UUID().uuidString)
    for file in [outputFile, errorFile] {
      try Data().write(to: file)
    }
    defer { for file in [outputFile, errorFile] { try? FileManager.default.removeItem(at: file) } }
    let process = Process()
    process.executableURL = URL(fileURLWithPath: path)
    process.arguments = arguments
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = try FileHandle(forWritingTo: outputFile)
    process.standardError = try FileHandle(forWritingTo: errorFile)
    try process.run()
    process.waitUntilExit()
    return (
      try String(contentsOf: outputFile, encoding: .utf8),
      try String(contentsOf: errorFile, encoding: .utf8), process.terminationStatus
    )
  }
}

/// A path in the temporary folder whose file goes away with the test.
final class ScratchFile {
  let path = FileManager.default.temporaryDirectory
    .appendingPathComponent("tlbreplay-\(UUID().uuidString)").path

  deinit { try? FileManager.default.removeItem(atPath: path) }

  func bytes() throws -> [UInt8] { [UInt8](try Data(contentsOf: URL(fileURLWithPath: path))) }
}
