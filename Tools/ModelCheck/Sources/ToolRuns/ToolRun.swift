package import Foundation

/// What went wrong, in words.
package struct ToolFailure: Error, CustomStringConvertible {
  package let description: String

  package init(_ description: String) { self.description = description }
}

/// The tool of this checkout, run as a user would.
package struct ToolRun {
  private let path: String

  /// The tool at `path`, else the one that the checkout has built.
  package init(_ path: String?) throws {
    self.path = try path ?? Self.built()
  }

  /// Runs it; what it writes to standard output.
  package func run(_ arguments: [String]) throws -> Data {
    let process = Process()
    process.executableURL = URL(filePath: path)
    process.arguments = arguments
    let pipe = Pipe()
    process.standardOutput = pipe
    try process.run()
    let output = pipe.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else {
      throw ToolFailure("\(arguments.joined(separator: " ")): exit \(process.terminationStatus)")
    }
    return output
  }

  /// Runs a scenario; its trace goes to `trace`.
  package func synthesise(
    _ scenario: String, _ policy: String, to trace: URL, _ options: [String] = []
  ) throws -> SynthCounts {
    let output = try run(
      ["synth", scenario, "--policy", policy, "--json", "-o", trace.path] + options)
    return try JSONDecoder().decode(SynthCounts.self, from: output)
  }

  private static func built() throws -> String {
    for build in ["release", "debug"] {
      let path = repository.appending(path: ".build/\(build)/tlbreplay").path
      if FileManager.default.isExecutableFile(atPath: path) { return path }
    }
    throw ToolFailure("no tlbreplay in .build: build it first, or say --tool PATH")
  }

  /// The repository, from this file's place in it.
  package static var repository: URL {
    var url = URL(filePath: #filePath)
    for _ in 0..<5 { url.deleteLastPathComponent() }
    return url
  }

  /// A file that is gone when `body` ends.
  package static func withScratchFile<Value>(_ body: (URL) throws -> Value) throws -> Value {
    let file = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    defer { try? FileManager.default.removeItem(at: file) }
    return try body(file)
  }
}

/// What `tlbreplay synth --json` says.
package struct SynthCounts: Decodable {
  package struct Row: Decodable { package var total: Int }
  package struct Flushes: Decodable {
    package var total: Int
    package var byReason: [Int]
    enum CodingKeys: String, CodingKey {
      case total
      case byReason = "by_reason"
    }
  }

  package var row: Row
  package var flushes: Flushes
  package var reclaimed: Int
  package var demoted: Int
  package var promoted: Int
  package var cached: Int
  package var runTime: Int
  package var deferred: Int
  package var refused: Int
  package var deferredFlushes: Int
  enum CodingKeys: String, CodingKey {
    case reclaimed, demoted, promoted, cached, deferred, refused
    case deferredFlushes = "deferred_flushes"
    case row = "tlb_row"
    case flushes = "tlb_flush"
    case runTime = "run_time_ns"
  }

  /// Of the batches that could be put off, those that were flushed at once.
  package var refusedShare: Double { Double(refused) / Double(max(deferred + refused, 1)) }

  /// Batches put off for each flush that they forced in the end.
  package var batchesPerForcedFlush: Double { Double(deferred) / Double(max(deferredFlushes, 1)) }

  /// Interrupts for each page that reclaim took.
  package var perPage: Double { Double(row.total) / Double(max(reclaimed, 1)) }
}
