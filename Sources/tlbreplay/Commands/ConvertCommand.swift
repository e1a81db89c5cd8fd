import ArgumentParser
import Replay
import Reporting
import TraceEvents
import TraceFiles
import TraceWriting

#if canImport(Glibc)
  import Glibc
#endif

/// A form that a trace can be converted to.
enum ConvertedForm: String, CaseIterable, ExpressibleByArgument {
  case traceDat = "trace.dat"
  case ftrace
  case csv
  case ndjson

  /// The form and the packing that a file's name asks for; nil where it tells no form.
  static func named(_ path: String) -> (form: ConvertedForm, packing: TextPacking)? {
    var name = path[...]
    var packing = TextPacking.none
    for (suffix, found) in [(".gz", TextPacking.gzip), (".zst", TextPacking.zstd)]
    where name.hasSuffix(suffix) {
      name = name.dropLast(suffix.count)
      packing = found
    }
    let endings: [(String, ConvertedForm)] = [
      (".dat", .traceDat), (".txt", .ftrace), (".csv", .csv), (".ndjson", .ndjson),
      (".jsonl", .ndjson),
    ]
    return endings.first { name.hasSuffix($0.0) }.map { ($0.1, packing) }
  }

  /// What is packed in a file of this name, whatever its form.
  static func packing(_ path: String) -> TextPacking {
    path.hasSuffix(".gz") ? .gzip : path.hasSuffix(".zst") ? .zstd : .none
  }
}

/// `tlbreplay convert`: any input in another form, or a part of it in its own.
struct ConvertCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "convert",
    abstract: "Write any trace as trace.dat, ftrace text, CSV or NDJSON, with the filters applied.",
    discussion: """
      The form is that of --to, or of FILE's name: .dat, .txt, .csv, .ndjson or .jsonl. Text may be \
      packed: .gz or .zst behind. One buffer is written (--instance chooses). What the new form cannot \
      hold is said on standard error.

      Examples:
        tlbreplay convert perf.data -o trace.dat
        tlbreplay convert trace.dat --cpu 2 --time 10%/2 -o part.dat
        tlbreplay convert trace.dat --event 'tlb:*' --to csv -o - | duckdb -c "from '/dev/stdin'"
        tlbreplay convert capture-directory --comm python3 -o events.ndjson.zst
      """)

  @OptionGroup var input: InputOptions

  @Option(
    name: .customShort("o"),
    help: ArgumentHelp("Write to FILE; - is standard output, for text.", valueName: "FILE"),
    completion: .file())
  var output: String

  @Option(
    help: ArgumentHelp("Form of FILE. Default: by its name.", valueName: "FORM"))
  var to: ConvertedForm?

  @Option(
    help: ArgumentHelp(
      "Compression of a trace.dat: none, zlib or zstd. Default: zstd.", valueName: "NAME"))
  var compression: String = "zstd"

  @Flag(help: "Show no progress on a terminal.")
  var noProgress = false

  func validate() throws {
    guard to != nil || ConvertedForm.named(output) != nil else {
      throw ValidationError(
        "\"\(output)\" does not tell the form: give --to trace.dat, ftrace, csv or ndjson.")
    }
    guard ["none", "zlib", "zstd"].contains(compression) else {
      throw ValidationError("--compression is none, zlib or zstd.")
    }
    if form == .traceDat, output == "-" {
      throw ValidationError("A trace.dat is not written front to back: -o takes a file.")
    }
    if form == .traceDat, ConvertedForm.packing(output) != .none {
      throw ValidationError("A trace.dat is packed inside: see --compression.")
    }
  }

  private var form: ConvertedForm {
    to ?? ConvertedForm.named(output)?.form ?? .traceDat
  }

  func run() throws {
    let loaded = try LoadedInput(input)
    try refuseInputAsOutput(loaded)
    let progress = Progress(isHidden: noProgress)
    let source = try ConversionSource(loaded, input, progress)
    let losses: ConversionLosses
    do {
      losses = try whole(output) { path throws in
        switch form {
        case .traceDat: try traceDat(source, path, progress)
        case .ftrace: try ftrace(source, path, progress)
        case .csv: try table(source, path, .csv, progress)
        case .ndjson: try table(source, path, .ndjson, progress)
        }
      }
    } catch let error as TraceWriteError {
      throw OutputError(description: error.description)
    }
    progress.finish()
    for line in source.remarks(losses, form) { writeError("tlbreplay: \(line)\n") }
  }

  /// Writes beside `path` and puts the file in its place when it is whole, so that nothing is left of
  /// it otherwise. What is no regular file is written to as it is.
  private func whole(
    _ path: String, _ write: (String) throws -> ConversionLosses
  ) throws -> ConversionLosses {
    var status = stat()
    let exists = path != "-" && stat(path, &status) == 0
    guard path != "-", !exists || status.st_mode & S_IFMT == S_IFREG else {
      return try write(path)
    }
    let partial = path + ".partial"
    do {
      let losses = try write(partial)
      guard rename(partial, path) == 0 else {
        throw OutputError(
          description: "\(path): cannot be written: \(String(cString: strerror(errno)))")
      }
      return losses
    } catch {
      unlink(partial)
      throw error
    }
  }

  private func refuseInputAsOutput(_ loaded: LoadedInput) throws {
    var one = stat()
    var two = stat()
    let source = loaded.capture?.trace ?? input.path
    guard source != "-", output != "-", stat(source, &one) == 0, stat(output, &two) == 0 else {
      return
    }
    if one.st_dev == two.st_dev, one.st_ino == two.st_ino {
      throw ValidationError("\(output) is the input itself: convert to another file.")
    }
  }

  // MARK: Forms

  private func traceDat(
    _ source: ConversionSource, _ path: String, _ progress: Progress
  ) throws -> ConversionLosses {
    try source.requireTimesAndCPUs("a trace.dat")
    var options = TraceDatOptions(cpus: source.cpus, version: .seven(packing))
    options.clock = source.clock
    options.systemName = source.systemName
    var conversion = try TraceDatConversion.create(path, options)
    let directory = try source.read(.any, progress) { batch, directory, lost throws in
      try conversion.append(batch, directory, lost: lost)
    }
    return try conversion.finish(directory, kallsyms: source.kallsyms())
  }

  private var packing: TraceDatCompression {
    compression == "none" ? .none : compression == "zlib" ? .zlib : .zstd
  }

  private func ftrace(
    _ source: ConversionSource, _ path: String, _ progress: Progress
  ) throws -> ConversionLosses {
    try source.requireTimesAndCPUs("ftrace text")
    var conversion = try FtraceTextConversion.create(
      path, packing: ConvertedForm.packing(output), cpus: source.cpus, events: source.events,
      names: source.names(), resolution: source.resolution)
    _ = try source.read(.time, progress) { batch, directory, lost throws in
      try conversion.append(batch, directory, lost: lost)
    }
    return try conversion.finish()
  }

  private func table(
    _ source: ConversionSource, _ path: String, _ form: EventTableForm, _ progress: Progress
  ) throws -> ConversionLosses {
    var writer = try EventTableWriter.create(
      path, form, packing: ConvertedForm.packing(output), time: source.tableTime,
      kinds: source.kinds, tasks: source.directory)
    _ = try source.read(.time, progress) { batch, directory, _ throws in
      try writer.append(batch, directory)
    }
    var losses = ConversionLosses()
    losses.rows = writer.rows
    try writer.finish()
    return losses
  }
}
