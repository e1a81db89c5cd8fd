/// Which generation of the file format.
public enum TraceDatVersion: Sendable, Equatable {
  /// One fixed order of parts, never compressed.
  case six
  /// Sections that options point at.
  case seven(TraceDatCompression)
}

/// What a `trace.dat` says beside its events.
public struct TraceDatOptions: Sendable {
  /// The format's generation.
  public var version = TraceDatVersion.seven(.none)
  /// CPUs of the traced machine.
  public var cpus: Int
  /// Buffer instances beside the top one, in the order in which they are written.
  public var instances: [String] = []
  /// The trace clock: one of ``clocks``, or empty where it is not known.
  public var clock = "local"
  /// `uname` of the traced machine.
  public var systemName = "Linux traced 6.12.117+deb12-cloud-amd64 x86_64"
  /// The recorder, as it calls itself.
  public var recorder = "3.1.6 tlbreplay"
  /// Formats of the events that may occur.
  public var formats = EventFormat.builtIn
  /// Events without known fields that may occur.
  public var others: [BareEvent] = []
  /// Names of tasks and functions.
  public var names = TraceNames()

  /// Options of a trace of `cpus` CPUs.
  public init(cpus: Int, version: TraceDatVersion = .seven(.none)) {
    precondition((1...4096).contains(cpus))
    self.cpus = cpus
    self.version = version
  }

  /// Bytes of a page, also of the ring buffer's.
  static let pageSize = 4096
  /// Clocks of Linux 6.12 `kernel/trace/trace.c`, `trace_clocks`, and x86's.
  public static let clocks = [
    "local", "global", "counter", "uptime", "perf", "mono", "mono_raw", "boot", "tai", "x86-tsc",
  ]

  /// The text of the `trace_clock` file: all clocks, the active one in brackets.
  var clockText: String {
    precondition(clock.isEmpty || Self.clocks.contains(clock))
    return Self.clocks.map { $0 == clock ? "[\($0)]" : $0 }.joined(separator: " ") + "\n"
  }

  var compression: TraceDatCompression {
    switch version {
    case .six: .none
    case .seven(let compression): compression
    }
  }
}

/// The parts of a `trace.dat` that say how to read its records.
///
/// Layout of each part: trace-cmd's `trace-cmd.dat.v6.5` and `trace-cmd.dat.v7.5`. perf embeds the
/// same parts in its tracing data.
enum TraceDatMetadata {
  /// Magic, version, little-endian, 8-byte longs, page size.
  static func magic(version: String) -> [UInt8] {
    var part = ByteBuilder(bytes: [0x17, 0x08, 0x44])
    part.append("tracing")
    part.append(terminated: version)
    part.bytes += [0, 8]
    part.append(UInt32(TraceDatOptions.pageSize))
    return part.bytes
  }

  /// `events/header_page` and `events/header_event` of a 64-bit kernel.
  static func headerInfo() -> [UInt8] {
    let page =
      "\tfield: u64 timestamp;\toffset:0;\tsize:8;\tsigned:0;\n"
      + "\tfield: local_t commit;\toffset:8;\tsize:8;\tsigned:1;\n"
      + "\tfield: int overwrite;\toffset:8;\tsize:1;\tsigned:1;\n"
      + "\tfield: char data;\toffset:16;\tsize:4080;\tsigned:0;\n"
    let event =
      "# compressed entry header\n\ttype_len    :    5 bits\n\ttime_delta  :   27 bits\n"
      + "\tarray       :   32 bits\n\n\tpadding     : type == 29\n\ttime_extend : type == 30\n"
      + "\ttime_stamp : type == 31\n\tdata max type_len  == 28\n"
    var part = ByteBuilder()
    for (name, text) in [("header_page", page), ("header_event", event)] {
      part.append(terminated: name)
      part.append(UInt64(text.utf8.count))
      part.append(text)
    }
    return part.bytes
  }

  /// Formats of the `ftrace` system, which has no heading of its own.
  static func ftraceFormats(_ formats: [EventFormat]) -> [UInt8] {
    var part = ByteBuilder()
    append(formats.filter { $0.system == "ftrace" }.map(\.text), to: &part)
    return part.bytes
  }

  /// Formats by system.
  static func eventFormats(_ formats: [EventFormat], _ others: [BareEvent] = []) -> [UInt8] {
    let known = Set(formats.map(\.system)).subtracting(["ftrace"])
    let systems = known.union(others.map(\.system)).sorted()
    var texts: [String: [String]] = [:]
    for format in formats { texts[format.system, default: []].append(format.text) }
    for (index, other) in others.enumerated() {
      texts[other.system, default: []].append(
        other.text(id: BareEvent.firstID + UInt16(truncatingIfNeeded: index)))
    }
    var part = ByteBuilder()
    part.append(UInt32(systems.count))
    for system in systems {
      part.append(terminated: system)
      append(texts[system] ?? [], to: &part)
    }
    return part.bytes
  }

  private static func append(_ texts: [String], to part: inout ByteBuilder) {
    part.append(UInt32(texts.count))
    for text in texts {
      part.append(UInt64(text.utf8.count))
      part.append(text)
    }
  }

  /// u32 size and text: kallsyms and printk formats.
  static func shortText(_ text: String) -> [UInt8] {
    var part = ByteBuilder()
    part.append(UInt32(text.utf8.count))
    part.append(text)
    return part.bytes
  }

  /// u64 size and text: saved_cmdlines.
  static func longText(_ text: String) -> [UInt8] {
    var part = ByteBuilder()
    part.append(UInt64(text.utf8.count))
    part.append(text)
    return part.bytes
  }
}
