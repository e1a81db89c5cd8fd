import TraceEvents

/// Interrupts in spans of one length.
public struct BurstCounts: Sendable, Equatable {
  /// Spans with more count as this many.
  static let interruptsMax = 4095

  /// Interrupts in all.
  public private(set) var interrupts = 0
  /// Most in one span.
  public private(set) var greatest = 0
  /// Spans with so many interrupts; index 0 is not used.
  private var spans: [UInt32] = [0]
  private var current = UInt64.max
  private var count = 0

  mutating func note(_ span: UInt64) {
    if span != current {
      close()
      current = span
    }
    interrupts += 1
    count += 1
  }

  mutating func close() {
    guard count > 0 else { return }
    greatest = max(greatest, count)
    let bin = min(count, Self.interruptsMax)
    while spans.count <= bin { spans.append(0) }
    spans[bin] += 1
    count = 0
  }

  /// Spans with any.
  public var spanCount: Int { spans.reduce(0) { $0 + Int($1) } }

  /// At most so many interrupts fell into `percent` of a hundred of the spans that had any.
  public func percentile(_ percent: Int) -> Int {
    let wanted = (spanCount * percent + 99) / 100
    var seen = 0
    for (interrupts, number) in spans.enumerated() {
      seen += Int(number)
      if seen >= wanted { return interrupts }
    }
    return 0
  }
}

/// Counts over time in at most 64 equal spans, whose length doubles when they are full.
public struct CountsOverTime: Sendable, Equatable {
  private static let spansMax = 64

  /// Where the first span begins, in the trace's unit; nil without any count.
  public private(set) var start: UInt64?
  /// Length of a span.
  public private(set) var width: UInt64 = 1 << 10
  /// The counts.
  public private(set) var counts: [Int] = []

  mutating func note(_ time: UInt64) {
    let start = self.start ?? time
    self.start = start
    let after = time > start ? time - start : 0
    while after / width >= UInt64(Self.spansMax) {
      counts = stride(from: 0, to: counts.count, by: 2).map {
        counts[$0] + ($0 + 1 < counts.count ? counts[$0 + 1] : 0)
      }
      width = width >= 1 << 62 ? 1 << 63 : width * 2
    }
    let span = Int(after / width)
    while counts.count <= span { counts.append(0) }
    counts[span] += 1
  }
}

/// What shootdowns did to one CPU.
public struct CPUVictim: Sendable, Equatable {
  /// Interrupts, also by the millisecond where the unit is known.
  public internal(set) var bursts = BurstCounts()
  /// Context switches, and changes from one user task to another.
  public internal(set) var switches = 0
  /// See ``switches``.
  public internal(set) var userChanges = 0
  var lastUser: UInt32 = 0

  /// A CPU that nothing happened to.
  public init() {}

  /// Interrupts.
  public var interrupts: Int { bursts.interrupts }
}

/// Who is interrupted.
struct VictimAccounts {
  let method: DerivedTLBRow.Method
  private let span: UInt64?
  private(set) var cpus: [CPUVictim]
  private(set) var machine = BurstCounts()
  private(set) var overTime = CountsOverTime()
  /// Interrupts by task.
  private(set) var tasks: [Int] = []
  /// Other functions that interrupts brought, by their words; damaged traces have no more than
  /// some.
  private(set) var otherCalls: [(function: UInt64, runs: Int)] = []

  init(cpuCount: Int, by method: DerivedTLBRow.Method, _ context: ReplayContext) {
    self.method = method
    span = context.millisecond
    cpus = Array(repeating: CPUVictim(), count: cpuCount)
  }

  mutating func interrupted(
    _ cpu: Int, _ task: UInt32, _ time: UInt64, by method: DerivedTLBRow.Method
  ) {
    guard method == self.method else { return }
    let moment = span.map { time / max($0, 1) } ?? 0
    cpus[cpu].bursts.note(moment)
    machine.note(moment)
    overTime.note(time)
    let index = Int(task)
    if index >= tasks.count {
      tasks.append(contentsOf: repeatElement(0, count: index + 1 - tasks.count))
    }
    tasks[index] += 1
  }

  mutating func switched(_ cpu: Int, to task: UInt32, isUser: Bool) {
    cpus[cpu].switches += 1
    guard isUser, task != cpus[cpu].lastUser else { return }
    if cpus[cpu].lastUser != 0 { cpus[cpu].userChanges += 1 }
    cpus[cpu].lastUser = task
  }

  mutating func ran(_ function: UInt64) {
    if let known = otherCalls.firstIndex(where: { $0.function == function }) {
      otherCalls[known].runs += 1
    } else if otherCalls.count < CSDFunctionTable.functionsMax {
      otherCalls.append((function, 1))
    }
  }

  mutating func close() {
    for cpu in cpus.indices { cpus[cpu].bursts.close() }
    machine.close()
  }
}
