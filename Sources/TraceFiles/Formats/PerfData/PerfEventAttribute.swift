import TraceEvents

/// One `perf_event_attr`: an event that was recorded, and what its samples carry.
///
///     0 u32 type        24 u64 sample_type   72 u64 branch_sample_type   96 u64 sample_regs_intr
///     4 u32 size        32 u64 read_format   80 u64 sample_regs_user
///     8 u64 config      40 u64 flag bits     88 u32 sample_stack_user
///    16 u64 period      48 u32 wakeup ...    92 s32 clockid
///
/// Older recorders wrote fewer bytes (64 at least), newer ones write more: what is missing is zero,
/// what is beyond is ignored. Source: `include/uapi/linux/perf_event.h` of Linux 6.12.
struct PerfEventAttribute {
  /// 0 hardware, 1 software, 2 tracepoint, 3 cache, 4 raw, 5 breakpoint, else a PMU's number.
  private(set) var type: UInt32 = 0
  /// Which event of the type; of a tracepoint its id, the `common_type` of its records.
  private(set) var config: UInt64 = 0
  /// Which fields a sample carries: bits of ``PerfSampleField``.
  private(set) var sampleType: UInt64 = 0
  /// What a READ field looks like.
  private(set) var readFormat: UInt64 = 0
  /// `exclude_kernel` and friends.
  private(set) var flags: UInt64 = 0
  /// What a BRANCH_STACK field looks like.
  private(set) var branchSampleType: UInt64 = 0
  /// Registers in a REGS_USER field.
  private(set) var userRegisters: UInt64 = 0
  /// Registers in a REGS_INTR field.
  private(set) var interruptRegisters: UInt64 = 0
  /// The clock, where flag `use_clockid` is set.
  private(set) var clockID: Int32 = 0
  /// The event's name, where the file tells it (EVENT_DESC, EVENT_UPDATE).
  var name: String?
  /// Ids that samples of this event may carry, one a CPU.
  var ids: [UInt64] = []

  /// Size of the first version of the structure.
  static let sizeMin = 64
  /// `PERF_TYPE_TRACEPOINT`.
  static let tracepointType: UInt32 = 2

  /// Reads the attribute that `bytes` begin with; nil if they are too few for any version.
  init?(_ bytes: ByteView) {
    guard bytes.count >= Self.sizeMin else { return nil }
    type = bytes.u32(0)
    let stated = Int(bytes.u32(4))
    // Size 0 means the first version.
    let size = min(bytes.count, max(stated, Self.sizeMin))
    config = bytes.u64(8)
    sampleType = bytes.u64(24)
    readFormat = bytes.u64(32)
    flags = bytes.u64(40)
    if size >= 80 { branchSampleType = bytes.u64(72) }
    if size >= 96 {
      userRegisters = bytes.u64(80)
      clockID = bytes.load(92, as: Int32.self)
    }
    if size >= 104 { interruptRegisters = bytes.u64(96) }
  }

  /// Whether samples carry `field`.
  func has(_ field: PerfSampleField) -> Bool { sampleType & field.rawValue != 0 }

  /// Whether it is a tracepoint.
  var isTracepoint: Bool { type == Self.tracepointType }

  /// perf's own event for side records; it never samples.
  var isDummy: Bool { type == 1 && config == 9 }

  /// Bytes that the structure says it has in the file.
  static func statedSize(_ bytes: ByteView) -> Int {
    guard bytes.count >= 8 else { return 0 }
    let stated = Int(bytes.u32(4))
    return stated == 0 ? sizeMin : stated
  }

  /// The trace clock's name where `--clockid` chose one.
  var clockName: String? {
    guard flags & 1 << 25 != 0 else { return nil }
    switch clockID {
    case 0: return "realtime"
    case 1: return "monotonic"
    case 4: return "monotonic_raw"
    case 7: return "boottime"
    case 11: return "tai"
    default: return "clockid \(clockID)"
    }
  }
}

// MARK: Names

extension PerfEventAttribute {
  /// System and name: as the file says, else as perf would call it.
  var eventName: EventName {
    guard isTracepoint else {
      return EventName(system: nil, name: name ?? defaultName + modifiers)
    }
    // `tlb:tlb_flush`, or `tlb:tlb_flush:u` with modifiers.
    let parts = (name ?? "").split(separator: ":", maxSplits: 2)
    guard parts.count >= 2 else {
      return EventName(system: nil, name: name ?? "tracepoint/\(config)")
    }
    return EventName(system: String(parts[0]), name: String(parts[1]))
  }

  private static let hardwareNames = [
    "cycles", "instructions", "cache-references", "cache-misses", "branches", "branch-misses",
    "bus-cycles", "stalled-cycles-frontend", "stalled-cycles-backend", "ref-cycles",
  ]
  private static let softwareNames = [
    "cpu-clock", "task-clock", "page-faults", "context-switches", "cpu-migrations", "minor-faults",
    "major-faults", "alignment-faults", "emulation-faults", "dummy", "bpf-output",
    "cgroup-switches",
  ]
  private static let cacheNames = [
    "L1-dcache", "L1-icache", "LLC", "dTLB", "iTLB", "branch", "node",
  ]
  private static let cacheOperations = [
    ["loads", "load-misses"], ["stores", "store-misses"], ["prefetches", "prefetch-misses"],
  ]

  // `evsel__name` of tools/perf/util/evsel.c, Linux 6.12.
  private var defaultName: String {
    let low = Int(config & 0xff)
    switch type {
    case 0 where low < Self.hardwareNames.count: return Self.hardwareNames[low]
    case 1 where config < UInt64(Self.softwareNames.count): return Self.softwareNames[low]
    case 3:
      let operation = Int(config >> 8 & 0xff)
      let result = Int(config >> 16 & 0xff)
      if low < Self.cacheNames.count, operation < Self.cacheOperations.count, result < 2 {
        return "\(Self.cacheNames[low])-\(Self.cacheOperations[operation][result])"
      }
      return "unknown-ext-hardware-cache-type"
    case 4: return "raw 0x\(String(config, radix: 16))"
    default: return "type \(type) config 0x\(String(config, radix: 16))"
    }
  }

  // `perf_evsel__add_modifiers`, ibidem: bits 4 to 6 exclude user, kernel, hypervisor, 15 and 16 are
  // the precision, 19 and 20 exclude host and guest.
  private var modifiers: String {
    func isExcluded(_ bit: UInt64) -> Bool { flags >> bit & 1 != 0 }
    var letters = ""
    var excludesGuestByDefault = false
    if isExcluded(4) || isExcluded(5) || isExcluded(6) {
      if !isExcluded(5) { letters += "k" }
      if !isExcluded(4) { letters += "u" }
      if !isExcluded(6) { letters += "h" }
      excludesGuestByDefault = true
    }
    let precision = Int(flags >> 15 & 3)
    if precision > 0 {
      letters += String(repeating: "p", count: precision)
      excludesGuestByDefault = true
    }
    if isExcluded(19) || isExcluded(20) == excludesGuestByDefault {
      if !isExcluded(19) { letters += "H" }
      if !isExcluded(20) { letters += "G" }
    }
    return letters.isEmpty ? "" : ":" + letters
  }
}
