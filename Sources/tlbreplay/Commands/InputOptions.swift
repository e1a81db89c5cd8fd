import ArgumentParser
import Reporting

#if canImport(Glibc)
  import Glibc
#endif

/// The input of a command: positional, or with `-i` as trace-cmd and perf have it.
struct InputOptions: ParsableArguments {
  @Argument(
    help: "A trace file, - for standard input, or a capture directory.", completion: .file())
  var input: String?

  @Option(name: .customShort("i"), help: "The same as the positional INPUT.", completion: .file())
  var inputOption: String?

  @OptionGroup var window: WindowOptions

  /// The input at `path`, for a command that takes several.
  static func one(_ path: String, _ window: WindowOptions) -> InputOptions {
    var options = InputOptions()
    options.input = path
    options.inputOption = nil
    options.window = window
    return options
  }

  /// The input the user named.
  var path: String { input ?? inputOption ?? "" }

  func validate() throws {
    switch (input, inputOption) {
    case (nil, nil): throw ValidationError("Missing INPUT: a trace file, - or a capture directory.")
    case (.some, .some): throw ValidationError("INPUT is given twice, by position and with -i.")
    default: break
    }
  }
}

/// A form that reports can have, by its name in ``ReportRenderers``.
struct OutputFormat: ExpressibleByArgument, Equatable {
  let name: String

  static let text = OutputFormat(name: "text")
  static let json = OutputFormat(name: "json")

  init(name: String) { self.name = name }

  init?(argument: String) {
    guard ReportRenderers.renderer(named: argument) != nil else { return nil }
    name = argument
  }

  static let allValueStrings = ReportRenderers.all.map(\.name)
}

/// Where a report goes and how it looks.
struct OutputOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp("Form of the report.", valueName: "FORM"))
  var format: OutputFormat?

  @Flag(help: "The same as --format json.")
  var json = false

  @Option(
    name: .customShort("o"),
    help: ArgumentHelp("Write to FILE instead of standard output.", valueName: "FILE"),
    completion: .file())
  var output: String?

  @Flag(help: "Show no progress on a terminal.")
  var noProgress = false

  /// Whether the report will show shootdowns by time and by sender.
  var drawsTimelines: Bool {
    ReportRenderers.renderer(named: json ? "json" : format?.name ?? "text")?.drawsTimelines ?? false
  }

  func validate() throws {
    if json, let format, format != .json {
      throw ValidationError("--json contradicts --format \(format.name).")
    }
  }

  /// Renders `report` and writes it out whole, or not at all.
  func emit(_ report: Report) throws {
    try emit(text: Self.render(report, json ? .json : (format ?? .text)))
  }

  /// Writes `report` to standard output, for commands whose `-o` is another file.
  static func print(_ report: Report, json: Bool) throws {
    try write(try render(report, json ? .json : .text), to: STDOUT_FILENO, name: "standard output")
  }

  /// Writes `text` to standard output.
  static func print(_ text: String) throws {
    try write(text, to: STDOUT_FILENO, name: "standard output")
  }

  static func render(_ report: Report, _ format: OutputFormat) throws -> String {
    if let obstacle = ReportRenderers.renderer(named: format.name)?.obstacle(to: report) {
      throw ValidationError("--format \(format.name): \(obstacle).")
    }
    return (ReportRenderers.renderer(named: format.name) ?? TextRenderer()).render(report)
  }

  /// Writes `text` out.
  func emit(text: String) throws {
    guard let output else {
      return try Self.write(text, to: STDOUT_FILENO, name: "standard output")
    }
    try Self.write(text, toFile: output)
  }

  /// Writes `text` to the file at `path`, made or emptied.
  static func write(_ text: String, toFile path: String) throws {
    let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else {
      throw OutputError(
        description: "\(path): cannot be written: \(String(cString: strerror(errno)))")
    }
    defer { close(descriptor) }
    try write(text, to: descriptor, name: path)
  }

  static func write(_ text: String, to descriptor: Int32, name: String) throws {
    try write(Array(text.utf8), to: descriptor, name: name)
  }

  /// Writes `bytes` to an open file that is called `name`.
  static func write(_ bytes: [UInt8], to descriptor: Int32, name: String) throws {
    var written = 0
    while written < bytes.count {
      let got = bytes[written...].withUnsafeBytes {
        Glibc.write(descriptor, $0.baseAddress, $0.count)
      }
      if got < 0 {
        if errno == EINTR { continue }
        throw OutputError(
          description: "\(name): cannot be written: \(String(cString: strerror(errno)))")
      }
      written += got
    }
  }
}
