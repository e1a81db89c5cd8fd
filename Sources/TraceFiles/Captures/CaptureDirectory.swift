public import TraceEvents

#if canImport(Glibc)
  import Glibc
#endif

/// A directory with one trace and, maybe, copies of /proc files from both ends of its window.
///
/// The trace is `trace.dat*`, else `perf.data*`, else `trace.txt*` (each maybe `.gz` or `.zst`);
/// everything else in the directory is no trace. Snapshots are `interrupts`, `zoneinfo` and `vmstat`
/// with `.before` and `.after`; the latter two maybe compressed too.
public struct CaptureDirectory: Sendable {
  /// Path of the trace.
  public let trace: String
  /// The TLB row between the snapshots, nil without them.
  public let tlbRow: RecordedTLBRow?
  /// Why there are snapshots but no row, for the reader of the report.
  public let problem: String?
  /// The kernel's command line, from `cmdline.txt`, nil without it.
  public let kernelCommandLine: String?
  /// What the memory snapshots say; empty without them.
  public let memory: RecordedMemory

  /// The capture at `path`, nil if `path` is no directory (or perf's directory form).
  public init?(_ path: String) throws(TraceError) {
    var status = stat()
    guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else { return nil }
    if Self.isPerfDirectory(path) { return nil }
    let names = Self.names(in: path)
    guard let found = Self.traceName(names) else {
      throw TraceError(
        "is a directory without a trace: expected trace.dat*, perf.data* or trace.txt*", file: path)
    }
    trace = path.hasSuffix("/") ? path + found : "\(path)/\(found)"
    do throws(TraceError) {
      tlbRow = try Self.tlbRow(path, names)
      problem = nil
    } catch {
      tlbRow = nil
      problem = error.description
    }
    memory = Self.memory(path, names)
    kernelCommandLine = Self.commandLine(path, names)
  }

  /// Linux 6.12 has at most 2048 bytes of it on x86 (`COMMAND_LINE_SIZE`).
  private static func commandLine(_ path: String, _ names: [String]) -> String? {
    guard names.contains("cmdline.txt"),
      let bytes = try? TraceInput.content(ofFile: "\(path)/cmdline.txt")
    else { return nil }
    return String(decoding: bytes.prefix(1 << 14), as: UTF8.self)
  }

  /// Each pair of snapshots stands alone: one that cannot be read does not hide the other.
  private static func memory(_ path: String, _ names: [String]) -> RecordedMemory {
    var memory = RecordedMemory()
    if let before = SnapshotFile.path(path, names, "zoneinfo.before"),
      let after = SnapshotFile.path(path, names, "zoneinfo.after")
    {
      do throws(TraceError) {
        memory.before = try ZoneInfo.read(before)
        memory.after = try ZoneInfo.read(after)
      } catch {
        memory.problems.append(error.description)
      }
    }
    if let before = SnapshotFile.path(path, names, "vmstat.before"),
      let after = SnapshotFile.path(path, names, "vmstat.after")
    {
      do throws(TraceError) {
        memory.counters = try VMStat.gained(from: before, to: after)
      } catch {
        memory.problems.append(error.description)
      }
    }
    return memory
  }

  /// Whether the directory is what `perf record --threads` writes.
  static func isPerfDirectory(_ path: String) -> Bool {
    let descriptor = open("\(path)/data", O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return false }
    defer { close(descriptor) }
    guard let file = try? MappedFile(descriptor: descriptor) else { return false }
    return file.bytes.hasPrefix("PERFILE2") || file.bytes.hasPrefix("2ELIFREP")
  }

  /// `trace.dat` itself before `trace.dat.zst`, and those before other names with that beginning.
  static func traceName(_ names: [String]) -> String? {
    for stem in ["trace.dat", "perf.data", "trace.txt"] {
      let endings = ["", ".zst", ".gz"]
      if let exact = endings.lazy.map({ stem + $0 }).first(where: names.contains) { return exact }
      if let other = names.sorted().first(where: { $0.hasPrefix(stem) }) { return other }
    }
    return nil
  }

  static func names(in path: String) -> [String] {
    guard let directory = opendir(path) else { return [] }
    defer { closedir(directory) }
    var names: [String] = []
    while let entry = readdir(directory) {
      names.append(
        withUnsafePointer(to: &entry.pointee.d_name) {
          $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
        })
    }
    return names
  }

  private static func tlbRow(_ path: String, _ names: [String]) throws(TraceError)
    -> RecordedTLBRow?
  {
    guard names.contains("interrupts.before"), names.contains("interrupts.after") else {
      return nil
    }
    let before = try InterruptSnapshot("\(path)/interrupts.before")
    let after = try InterruptSnapshot("\(path)/interrupts.after")
    return try after.tlbRow(since: before)
  }
}
