public import Replay
public import TraceEvents

/// A replay as a timeline in the Trace Event Format, for ui.perfetto.dev and chrome://tracing.
///
/// One process for the recorded run and one for each policy. Recorded: per CPU the shootdowns that it
/// began, as slices named by cause, and the `tlb_flush` events of those that it received. Policies: per
/// CPU the flushes put off, refused and done after all. Counters: interrupts in each millisecond, and
/// frames that are free with a flush owed.
///
/// Memory: what happened since ``take()`` was called last. Times are the trace's, in microseconds with
/// three decimals.
public final class PerfettoExport: ReplayObserver {
  /// Nanoseconds to a value of the interrupt counters.
  static let span: UInt64 = 1_000_000
  private static let recordedProcess = 1

  private let cpus: Int
  private var text = TraceEventText()
  private var directory: EventDirectory?
  /// The last shootdown of each CPU, which ends no later than the next one begins.
  private var open: [ObservedShootdown?]
  /// Interrupts in each millisecond: recorded, then under each policy.
  private var rates: [InterruptRate]

  /// An export of the run that `trace` describes and of policies by name; nil where its times are no
  /// nanoseconds.
  public init?(_ trace: TraceDescription, policies: [String]) {
    guard trace.instanceFacts.timeUnit.isNanoseconds else { return nil }
    cpus = max(trace.cpus, 1)
    open = Array(repeating: nil, count: cpus)
    rates = Array(repeating: InterruptRate(), count: policies.count + 1)
    text.begin()
    text.name(process: Self.recordedProcess, "recorded: \(trace.name)", order: 0)
    for cpu in 0..<cpus {
      text.name(
        process: Self.recordedProcess, thread: Self.sender(cpu), "CPU \(cpu) begins",
        order: 2 * cpu + 1)
      text.name(
        process: Self.recordedProcess, thread: Self.receiver(cpu), "CPU \(cpu) receives",
        order: 2 * cpu + 2)
    }
    for (index, policy) in policies.enumerated() {
      text.name(process: Self.process(index), policy, order: index + 1)
      for cpu in 0..<cpus {
        text.name(process: Self.process(index), thread: cpu + 1, "CPU \(cpu)", order: cpu + 1)
      }
    }
    if let window = trace.window {
      text.name(process: Self.recordedProcess, thread: 0, "window", order: 0)
      text.slice(
        window.marks.span.start, window.marks.span.end, process: Self.recordedProcess, thread: 0,
        trace.windowName, "window", [])
    }
  }

  /// What was written since the last call.
  public func take() -> [UInt8] { text.take() }

  /// The receivers' own events of a batch, which the session gets too.
  public func consume(_ batch: borrowing EventBatch, directory: EventDirectory) {
    self.directory = directory
    for row in 0..<batch.count {
      guard batch.kind(row) == .tlbFlush else { continue }
      let cpu = Int(batch.cpu(row))
      guard cpu < cpus,
        let reason = FlushReason(rawValue: Int(batch.signedWord(row, TLBFlush.reason))),
        reason == .remoteShootdown || reason == .remoteWrongCPU
      else { continue }
      text.instant(
        batch.timestamp(row), process: Self.recordedProcess, thread: Self.receiver(cpu),
        reason.label, "receive", [("pages", .number(batch.signedWord(row, TLBFlush.pages)))])
    }
  }

  /// See ``ReplayObserver``.
  public func recorded(_ shootdown: ObservedShootdown) {
    guard shootdown.cpu < cpus else { return }
    if let before = open[shootdown.cpu] { write(before, until: shootdown.start) }
    open[shootdown.cpu] = shootdown
    for index in rates.indices { rates[index].add(shootdown.interrupts, at: shootdown.start) }
  }

  /// See ``ReplayObserver``.
  public func decided(_ decision: ObservedDecision, policy: Int) {
    guard decision.cpu < cpus, policy + 1 < rates.count else { return }
    let name: String
    switch decision.kind {
    case .putOff: name = "put off"
    case .refused: name = "refused"
    case .broadcast: name = "broadcast"
    case .flush(let fate): name = "flush: \(fate.name)"
    }
    let isFlush = !["put off", "refused", "broadcast"].contains(name)
    text.instant(
      decision.time, process: Self.process(policy), thread: decision.cpu + 1, name,
      isFlush ? "flush" : "decision",
      [
        ("cpus", .text(Self.list(decision.cpus))),
        ("interrupts", .number(Int64(isFlush ? decision.interrupts : -decision.interrupts))),
      ])
    text.counter(
      decision.time, process: Self.process(policy), "frames pending", decision.framesPending)
    rates[policy + 1].add(
      isFlush ? decision.interrupts : -decision.interrupts, at: decision.time)
  }

  /// See ``ReplayObserver``.
  public func reached(_ time: UInt64) {
    for index in rates.indices {
      let process = index == 0 ? Self.recordedProcess : Self.process(index - 1)
      rates[index].take(before: time) { moment, interrupts in
        text.counter(moment, process: process, "shootdowns per ms", interrupts)
      }
    }
    guard time == .max else { return }
    for shootdown in open.compactMap(\.self) { write(shootdown, until: .max) }
    open = Array(repeating: nil, count: cpus)
    text.end()
  }

  private func write(_ shootdown: ObservedShootdown, until next: UInt64) {
    var arguments: [(String, TraceEventText.Argument)] = [
      ("cpus", .text(Self.list(shootdown.receivers))),
      ("interrupts", .number(Int64(shootdown.interrupts))), ("pages", .number(shootdown.pages)),
    ]
    if shootdown.isUnmapBatch {
      arguments.append(("unmapped", .number(Int64(shootdown.unmappedPages))))
    }
    if shootdown.task >= 0 {
      arguments.append(("tid", .number(Int64(shootdown.task))))
      if let name = directory?.taskName(shootdown.task) { arguments.append(("task", .text(name))) }
    }
    text.slice(
      shootdown.start, min(shootdown.end, next), process: Self.recordedProcess,
      thread: Self.sender(shootdown.cpu), shootdown.cause.label,
      shootdown.isUnmapBatch ? "unmap batch" : "mm", arguments)
  }

  private static func process(_ policy: Int) -> Int { policy + 2 }
  private static func sender(_ cpu: Int) -> Int { 2 * cpu + 1 }
  private static func receiver(_ cpu: Int) -> Int { 2 * cpu + 2 }

  /// The kernel's list form: `0-3,8`.
  static func list(_ mask: CPUMask) -> String {
    var runs: [(first: Int, last: Int)] = []
    mask.forEach { cpu in
      if let run = runs.last, run.last == cpu - 1 {
        runs[runs.count - 1].last = cpu
      } else {
        runs.append((cpu, cpu))
      }
    }
    return runs.map { $0.first == $0.last ? "\($0.first)" : "\($0.first)-\($0.last)" }
      .joined(separator: ",")
  }
}

/// Interrupts in each millisecond, as far as they are not written yet.
private struct InterruptRate {
  private var counts: [UInt64: Int] = [:]
  private var last: (bucket: UInt64, count: Int)?

  mutating func add(_ count: Int, at time: UInt64) {
    guard count != 0 else { return }
    counts[time / PerfettoExport.span, default: 0] &+= count
  }

  /// Gives the values of the milliseconds that are over, and a zero behind each run of them.
  mutating func take(before time: UInt64, _ body: (UInt64, Int) -> Void) {
    let limit = time == .max ? .max : time / PerfettoExport.span
    for bucket in counts.keys.sorted() where bucket < limit {
      if let last, last.count != 0, last.bucket + 1 < bucket {
        body((last.bucket + 1) * PerfettoExport.span, 0)
      }
      let count = counts.removeValue(forKey: bucket) ?? 0
      body(bucket * PerfettoExport.span, count)
      last = (bucket, count)
    }
    if time == .max, let last, last.count != 0 {
      let (moment, overflow) = (last.bucket + 1).multipliedReportingOverflow(
        by: PerfettoExport.span)
      if !overflow { body(moment, 0) }
    }
  }
}
