import Foundation

/// Measures `tlbreplay stat` and `report` on large generated traces, whole processes at a time.
///
/// CPU time, not elapsed time, so that a busy machine does not matter much. Every count of `stat` is
/// compared with what was written: a fast wrong answer is an error.
@main
struct Benchmarks {
  static func main() {
    do {
      let arguments = CommandLine.arguments.dropFirst()
      if arguments.first == "--bare-zstd", let path = arguments.last {
        print(try BareZstd.unpack(path))
        return
      }
      if arguments.contains("--help") || arguments.contains("-h") {
        print(Options.usage)
        return
      }
      try run(try Options(arguments))
    } catch {
      FileHandle.standardError.write(Data("benchmarks: \(error)\n".utf8))
      exit(1)
    }
  }

  private static func run(_ options: Options) throws {
    let temporary = FileManager.default.temporaryDirectory
      .appendingPathComponent("tlbreplay-benchmarks-\(getpid())").path
    let folder = options.folder ?? temporary
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer {
      if options.folder == nil { try? FileManager.default.removeItem(atPath: folder) }
    }
    let parent = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    let tool = options.tool ?? parent.appendingPathComponent(".build/release/tlbreplay").path
    let needsTool = options.rows.contains { $0 != "machine" }
    guard !needsTool || FileManager.default.isExecutableFile(atPath: tool) else {
      throw BenchmarkError("\(tool) is missing: swift build -c release --product tlbreplay")
    }
    var suite = BenchmarkSuite(options: options, folder: folder, tool: tool)
    for row in options.rows { try suite.run(row) }
    print(options.isMarkdown ? suite.markdown() : suite.text())
    if !suite.failures.isEmpty { throw BenchmarkError(suite.failures.joined(separator: "\n")) }
  }
}
