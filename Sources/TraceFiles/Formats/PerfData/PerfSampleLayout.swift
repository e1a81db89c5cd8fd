import TraceEvents

/// The bits of `sample_type`, each of which puts a field into a sample.
enum PerfSampleField: UInt64 {
  case ip = 0x1
  case task = 0x2
  case time = 0x4
  case address = 0x8
  case read = 0x10
  case callChain = 0x20
  case id = 0x40
  case cpu = 0x80
  case period = 0x100
  case streamID = 0x200
  case raw = 0x400
  case branchStack = 0x800
  case userRegisters = 0x1000
  case userStack = 0x2000
  case weight = 0x4000
  case dataSource = 0x8000
  case identifier = 0x1_0000
  case transaction = 0x2_0000
  case interruptRegisters = 0x4_0000
  case physicalAddress = 0x8_0000
  case aux = 0x10_0000
  case cgroup = 0x20_0000
  case dataPageSize = 0x40_0000
  case codePageSize = 0x80_0000
  case weightStruct = 0x100_0000
}

/// Where the fields of fixed size stand in the samples of one event.
///
///     0 u32 type = 9, u16 misc, u16 size
///     8 IDENTIFIER u64; IP u64; TID u32 pid, u32 tid; TIME u64; ADDR u64; ID u64; STREAM_ID u64;
///       CPU u32, u32 0; PERIOD u64                      each only if its bit is set
///       then what ``PerfSample`` walks: READ, CALLCHAIN, RAW u32 size, bytes; ...
///
/// Source: `perf_output_sample` of kernel/events/core.c and `evsel__parse_sample` of
/// tools/perf/util/evsel.c, Linux 6.12.
struct PerfSampleLayout {
  /// How the RAW field is found.
  enum RawField: UInt8 {
    /// There is none, or it is no tracepoint's record.
    case none
    /// At ``rawOffset``.
    case fixed
    /// Behind fields of variable size.
    case walked
  }

  /// The offset of a field that a sample lacks.
  static let absent: Int32 = -1

  private(set) var idOffset = Self.absent
  private(set) var taskOffset = Self.absent
  private(set) var timeOffset = Self.absent
  private(set) var cpuOffset = Self.absent
  private(set) var addressOffset = Self.absent
  /// Where the fields of fixed size end; no sample is shorter.
  private(set) var fixedEnd: Int32 = 8
  private(set) var rawField = RawField.none
  /// The `common_type` that the RAW field should begin with.
  private(set) var tracepoint: UInt16 = 0
  /// Whether a sample reads the counters of a whole group, with the members' ids.
  private(set) var readsGroup = false
  /// See ``PerfEventAttribute/sampleType`` and the properties after it.
  let sampleType: UInt64
  let readFormat: UInt64
  let branchSampleType: UInt64
  let userRegisters: UInt64
  let interruptRegisters: UInt64
  /// The event's index in the directory where its records do not tell.
  var event = RecordDecoder.noEvent

  /// Whether samples carry `field`.
  func has(_ field: PerfSampleField) -> Bool { sampleType & field.rawValue != 0 }

  /// Where RAW stands if nothing of variable size precedes it.
  @inline(__always) var rawOffset: Int { Int(fixedEnd) }

  init(_ attribute: PerfEventAttribute) {
    sampleType = attribute.sampleType
    readFormat = attribute.readFormat
    branchSampleType = attribute.branchSampleType
    userRegisters = attribute.userRegisters
    interruptRegisters = attribute.interruptRegisters
    var offset: Int32 = 8
    func place(_ field: PerfSampleField) -> Int32 {
      guard attribute.has(field) else { return Self.absent }
      defer { offset += 8 }
      return offset
    }
    idOffset = place(.identifier)
    _ = place(.ip)
    taskOffset = place(.task)
    timeOffset = place(.time)
    addressOffset = place(.address)
    let plainID = place(.id)
    if idOffset == Self.absent { idOffset = plainID }
    _ = place(.streamID)
    cpuOffset = place(.cpu)
    _ = place(.period)
    fixedEnd = offset
    let groupWithIDs = PerfReadFormat.group | PerfReadFormat.id
    readsGroup = attribute.has(.read) && attribute.readFormat & groupWithIDs == groupWithIDs
    if attribute.has(.raw) && attribute.isTracepoint {
      rawField = attribute.has(.read) || attribute.has(.callChain) ? .walked : .fixed
    }
    tracepoint = UInt16(truncatingIfNeeded: attribute.config)
  }
}
