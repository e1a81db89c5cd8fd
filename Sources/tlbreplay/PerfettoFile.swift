import Replay
import Reporting
import TraceEvents
import TraceFiles

#if canImport(Glibc)
  import Glibc
#endif

/// The file of `report --perfetto`, written while the trace is replayed.
///
/// What was begun and not finished is taken away again.
final class PerfettoFile {
  /// What is told of the replay.
  let export: PerfettoExport
  private let path: String
  /// Not open before there is something to write: what was there stays if the trace is unfit.
  private var descriptor: Int32 = -1
  private var isFinished = false

  /// A file at `path` for the run that `trace` describes and policies by name.
  init(_ path: String, _ trace: TraceDescription, policies: [String]) throws {
    guard let export = PerfettoExport(trace, policies: policies) else {
      throw TraceError(
        "has no times in nanoseconds: a timeline cannot be drawn (--perfetto)", file: trace.name)
    }
    self.export = export
    self.path = path
  }

  deinit {
    guard descriptor >= 0 else { return }
    close(descriptor)
    if !isFinished, isRegular { unlink(path) }
  }

  /// Devices and pipes are not ours to take away.
  private var isRegular: Bool {
    var status = stat()
    return lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
  }

  /// Writes what the export has made.
  func advance() throws {
    if descriptor < 0 {
      descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)
      guard descriptor >= 0 else {
        throw OutputError(
          description: "\(path): cannot be written: \(String(cString: strerror(errno)))")
      }
    }
    try OutputOptions.write(export.take(), to: descriptor, name: path)
  }

  /// Writes the end.
  func finish() throws {
    try advance()
    isFinished = true
  }
}
