public import Machine

/// How long things take on the modelled machine, in nanoseconds.
public struct ScenarioCosts: Sendable {
  /// Names under which a scenario file may set costs, and where each is kept.
  public static let names:
    [(name: String, path: any WritableKeyPath<ScenarioCosts, ParameterRange> & Sendable)] = [
      ("flush_send", \.flushSend), ("flush_per_target", \.flushPerTarget),
      ("interrupt_delivery", \.interruptDelivery), ("interrupt_answer", \.interruptAnswer),
      ("interrupt_rest", \.interruptRest), ("local_flush", \.localFlush), ("fault", \.fault),
      ("map_page", \.mapPage), ("allocate", \.allocate), ("free", \.free),
      ("move_frame", \.moveFrame), ("cache_page", \.cachePage), ("read_page", \.readPage),
      ("scan_folio", \.scanFolio), ("unmap_page", \.unmapPage), ("migrate_page", \.migratePage),
      ("context_switch", \.contextSwitch), ("system_call", \.systemCall),
      ("trace_event", \.traceEvent), ("device_latency", \.deviceLatency),
      ("device_page", \.devicePage),
    ]

  private static let shootdown =
    "a + b n for the initiator with a = 1.5 us, b = 0.1 us: chosen between Linux 6.12 "
    + "arch/x86/mm/tlb.c and LATR (ASPLOS 2018)"
  private static let chosen = "chosen: a few hundred to some thousand instructions of this path"

  /// Before the first interrupt leaves, and for each target.
  public var flushSend = ParameterRange(
    300, lower: 100, upper: 600, source: shootdown, confidence: .low)
  /// See ``flushSend``.
  public var flushPerTarget = ParameterRange(
    100, lower: 50, upper: 200, source: shootdown, confidence: .low)
  /// From sending to the receiver's first instruction.
  public var interruptDelivery = ParameterRange(
    500, lower: 300, upper: 1_000, source: shootdown, confidence: .low)
  /// From there to the answer, and from there to the interrupted code.
  public var interruptAnswer = ParameterRange(
    700, lower: 400, upper: 1_300, source: shootdown, confidence: .low)
  /// See ``interruptAnswer``.
  public var interruptRest = ParameterRange(
    500, lower: 300, upper: 800, source: shootdown, confidence: .low)
  /// The initiator's own flush.
  public var localFlush = ParameterRange(
    200, lower: 100, upper: 300, source: "CR3 rewrite", confidence: .low)
  /// A page fault without what it brings in.
  public var fault = ParameterRange(
    800, lower: 400, upper: 1_500, source: chosen, confidence: .low)
  /// Each entry that a fault fills.
  public var mapPage = ParameterRange(40, lower: 20, upper: 100, source: chosen, confidence: .low)
  /// An allocation or a free of one page through the CPU's list.
  public var allocate = ParameterRange(
    150, lower: 80, upper: 300, source: chosen, confidence: .low)
  /// See ``allocate``.
  public var free = ParameterRange(100, lower: 50, upper: 200, source: chosen, confidence: .low)
  /// Each frame that moves between a CPU's list and buddy.
  public var moveFrame = ParameterRange(
    50, lower: 30, upper: 100, source: chosen, confidence: .low)
  /// Adding a page to the page cache, or taking it out.
  public var cachePage = ParameterRange(
    300, lower: 150, upper: 600, source: chosen, confidence: .low)
  /// CPU time of the reader for each page that is read from the device.
  public var readPage = ParameterRange(
    300, lower: 100, upper: 1_000, source: chosen, confidence: .low)
  /// Each folio that reclaim looks at.
  public var scanFolio = ParameterRange(
    250, lower: 100, upper: 500, source: chosen, confidence: .low)
  /// Each page-table entry that reclaim or migration takes away.
  public var unmapPage = ParameterRange(
    200, lower: 100, upper: 400, source: chosen, confidence: .low)
  /// Moving a page beside its allocation and its entries: copy and page-cache work.
  public var migratePage = ParameterRange(
    2_500, lower: 1_500, upper: 5_500, source: "copy 0.2 to 0.5 us and kernel work 2 to 5 us",
    confidence: .low)
  /// A switch between tasks.
  public var contextSwitch = ParameterRange(
    1_000, lower: 500, upper: 2_000, source: chosen, confidence: .low)
  /// Entry and exit of a system call.
  public var systemCall = ParameterRange(
    150, lower: 80, upper: 400, source: chosen, confidence: .low)
  /// Each trace event.
  public var traceEvent = ParameterRange(
    0, lower: 0, upper: 200, source: "a machine that is not traced", confidence: .medium)
  /// From asking the device for pages to their arrival; 0 is memory that the reader copies from.
  public var deviceLatency = ParameterRange(
    80_000, lower: 20_000, upper: 150_000, source: "NVMe drives, read of 128 KiB",
    confidence: .low)
  /// How long the device is busy with a page: its bandwidth.
  public var devicePage = ParameterRange(
    600, lower: 300, upper: 1_300, source: "NVMe drives, 3 to 14 GB/s", confidence: .medium)

  /// The defaults.
  public init() {}
}

/// The numbers of a ``ScenarioCosts`` as the simulation uses them.
struct Costs {
  var flushSend, flushPerTarget, interruptDelivery, interruptAnswer, interruptRest: UInt64
  var localFlush, fault, mapPage, allocate, free, moveFrame, cachePage, readPage: UInt64
  var scanFolio, unmapPage, migratePage, contextSwitch, systemCall, traceEvent: UInt64
  var deviceLatency, devicePage: UInt64

  init(_ table: ScenarioCosts) {
    func whole(_ range: ParameterRange) -> UInt64 {
      UInt64(min(max(range.expected, 0), 1e12).rounded())
    }
    flushSend = whole(table.flushSend)
    flushPerTarget = whole(table.flushPerTarget)
    interruptDelivery = whole(table.interruptDelivery)
    interruptAnswer = whole(table.interruptAnswer)
    interruptRest = whole(table.interruptRest)
    localFlush = whole(table.localFlush)
    fault = whole(table.fault)
    mapPage = whole(table.mapPage)
    allocate = whole(table.allocate)
    free = whole(table.free)
    moveFrame = whole(table.moveFrame)
    cachePage = whole(table.cachePage)
    readPage = whole(table.readPage)
    scanFolio = whole(table.scanFolio)
    unmapPage = whole(table.unmapPage)
    migratePage = whole(table.migratePage)
    contextSwitch = whole(table.contextSwitch)
    systemCall = whole(table.systemCall)
    traceEvent = whole(table.traceEvent)
    deviceLatency = whole(table.deviceLatency)
    devicePage = whole(table.devicePage)
  }
}
