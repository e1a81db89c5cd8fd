import TraceEvents

/// Who causes the shootdowns of a trace, and who is interrupted by them.
public struct ShootdownAttribution: Sendable {
  /// Shootdowns that are alike in all that is known of their initiators.
  public struct Group: Sendable {
    /// Thread, ``EventBatch/unknownTask`` where that is not known.
    public let task: Int32
    /// What they were for, and how that is known.
    public let cause: FlushCause
    /// See ``cause``.
    public let evidence: CauseEvidence
    /// Call chains by their number among the directory's, 0 unknown.
    public let kernelChain: UInt32
    /// See ``kernelChain``.
    public let userChain: UInt32
    /// When the first of them began, in the trace's unit.
    public let firstTime: UInt64
    /// What they come to.
    public let sums: ShootdownSums
  }

  /// Every distinct group, in the order of first shootdowns.
  public let groups: [Group]
  /// All of them together.
  public let total: ShootdownSums
  /// By the CPU that sent.
  public let bySender: [ShootdownSums]
  /// Interrupts by sender and receiver.
  public let matrix: InterruptMatrix
  /// How call paths and events agree about causes.
  public let agreement: CauseAgreement
  /// The TLB row, by CPU: what all interrupts of ``groups`` and ``unattributed`` are.
  public let row: [Int]
  /// Interrupts whose shootdown is not in the trace; negative where requests were not answered.
  public let unattributed: Int
  /// What each CPU suffered, and all together.
  public let cpus: [CPUVictim]
  /// See ``cpus``.
  public let machine: BurstCounts
  /// Interrupts over time.
  public let overTime: CountsOverTime
  /// Interrupts by the thread that ran, the heaviest first; idle CPUs are thread 0.
  public let victims: [(task: Int32, interrupts: Int)]
  /// Other functions that CPUs interrupt each other for, by the word that `csd` events hold, the
  /// one that ran most first.
  public let otherCalls: [(function: UInt64, runs: Int)]
  /// What interrupts are counted by.
  public let method: DerivedTLBRow.Method

  init(
    _ initiators: InitiatorAccounts, _ victims: VictimAccounts, _ tasks: borrowing TaskTable,
    row: [Int]
  ) {
    var closed = victims
    closed.close()
    var total = ShootdownSums()
    var groups: [Group] = []
    groups.reserveCapacity(initiators.entries.count)
    for entry in initiators.entries {
      total.add(entry.sums)
      groups.append(
        Group(
          task: tasks.id(of: entry.key.task), cause: entry.key.cause, evidence: entry.key.evidence,
          kernelChain: entry.key.kernelChain, userChain: entry.key.userChain,
          firstTime: entry.time, sums: entry.sums))
    }
    self.groups = groups
    self.total = total
    bySender = initiators.bySender
    matrix = initiators.matrix
    agreement = initiators.agreement
    self.row = row
    unattributed = row.reduce(0, +) - total.interrupts
    cpus = closed.cpus
    machine = closed.machine
    overTime = closed.overTime
    method = closed.method
    otherCalls = closed.otherCalls.sorted { ($1.runs, $0.function) < ($0.runs, $1.function) }
    var suffered: [(task: Int32, interrupts: Int)] = []
    for (index, count) in closed.tasks.enumerated() where count > 0 {
      suffered.append((tasks.id(of: UInt32(index)), count))
    }
    self.victims = suffered.sorted { ($1.interrupts, $0.task) < ($0.interrupts, $1.task) }
  }
}
