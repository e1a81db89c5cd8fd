import TraceEvents

/// How a cause is known.
public enum CauseEvidence: UInt8, Sendable, CaseIterable {
  /// The initiator's call path.
  case callPath
  /// An event names it.
  case event
  /// Concluded from what the task did before and after.
  case concluded
}

/// What shootdowns of one kind come to.
public struct ShootdownSums: Sendable, Equatable {
  /// Shootdowns of the window: those with an event of their initiator in it.
  public internal(set) var shootdowns = 0
  /// Interrupts that they sent, as the TLB row counts them.
  public internal(set) var interrupts = 0
  /// Announcements (`tlb_flush` reason 4).
  public internal(set) var sends = 0
  /// CPUs that were interrupted.
  public internal(set) var cpus = CPUMask()

  /// Nothing.
  public init() {}

  /// Adds the sums of other shootdowns.
  public mutating func add(_ other: ShootdownSums) {
    shootdowns += other.shootdowns
    interrupts += other.interrupts
    sends += other.sends
    cpus.formUnion(other.cpus)
  }

  mutating func add(_ shootdown: borrowing Shootdown) {
    if shootdown.isSendCounted || shootdown.isLocalCounted { shootdowns += 1 }
    if shootdown.isSendCounted { sends += 1 }
    interrupts += shootdown.countedInterrupts.count
    cpus.formUnion(shootdown.countedInterrupts)
  }

  var isNothing: Bool { shootdowns == 0 && interrupts == 0 }
}

/// Shootdowns by what is known of their initiators: one entry for each distinct combination, so
/// memory follows the distinct things and not the events.
struct InitiatorAccounts {
  struct Key: Hashable {
    var task: UInt32
    var cause: FlushCause
    var evidence: CauseEvidence
    var kernelChain: UInt32
    var userChain: UInt32
  }
  struct Entry {
    var key: Key
    /// When the first one began, by which user addresses are looked up.
    var time: UInt64
    var sums: ShootdownSums
  }

  private(set) var entries: [Entry] = []
  private var places: [Key: UInt32] = [:]
  private(set) var matrix: InterruptMatrix
  /// Shootdowns with a call path by the cause that events give (row) and that the path gives.
  private(set) var agreement = CauseAgreement()
  private(set) var bySender: [ShootdownSums]
  private var paths: CallPathCauses?

  init(cpuCount: Int, _ paths: CallPathCauses?) {
    self.paths = paths
    matrix = InterruptMatrix(cpuCount: cpuCount)
    bySender = Array(repeating: ShootdownSums(), count: cpuCount)
  }

  /// Whether rows of stacks carry the number of their chain.
  var followsChains: Bool { paths != nil }

  mutating func cause(_ chain: UInt32) -> FlushCause? { paths?.cause(chain) }

  mutating func note(_ shootdown: borrowing Shootdown) {
    var sums = ShootdownSums()
    sums.add(shootdown)
    guard !sums.isNothing else { return }
    matrix.add(from: shootdown.initiator, to: shootdown.countedInterrupts)
    bySender[shootdown.initiator].add(sums)
    if shootdown.kernelChain != CallChains.none {
      agreement.note(events: shootdown.cause, path: shootdown.pathCause, sums.shootdowns)
    }
    let evidence: CauseEvidence =
      shootdown.pathCause != nil ? .callPath : shootdown.isCauseRecorded ? .event : .concluded
    let key = Key(
      task: shootdown.taskIndex, cause: shootdown.bestCause, evidence: evidence,
      kernelChain: shootdown.kernelChain, userChain: shootdown.userChain)
    if let place = places[key] {
      entries[Int(place)].sums.add(sums)
    } else {
      places[key] = UInt32(truncatingIfNeeded: entries.count)
      entries.append(Entry(key: key, time: shootdown.start, sums: sums))
    }
  }
}

/// How two ways to tell causes agree, in shootdowns.
public struct CauseAgreement: Sendable, Equatable {
  private static let count = FlushCause.allCases.count
  /// By ``FlushCause`` raw value of what events say, then of what the path says.
  public private(set) var shootdowns = Array(
    repeating: Array(repeating: 0, count: CauseAgreement.count), count: CauseAgreement.count)
  /// Shootdowns with a call path that no rule knows.
  public private(set) var unexplained = 0

  mutating func note(events: FlushCause, path: FlushCause?, _ count: Int) {
    guard let path else {
      unexplained += count
      return
    }
    shootdowns[Int(events.rawValue)][Int(path.rawValue)] += count
  }

  /// Shootdowns with a call path.
  public var total: Int { shootdowns.reduce(unexplained) { $0 + $1.reduce(0, +) } }
}

/// Interrupts by the CPU that sent them and the CPU that got them.
public struct InterruptMatrix: Sendable, Equatable {
  /// Machines with more CPUs keep only the pairs that occur.
  private static let denseMax = 512

  /// CPUs of the machine.
  public let cpuCount: Int
  private var dense: [UInt32]
  private var sparse: [UInt32: Int] = [:]

  init(cpuCount: Int) {
    self.cpuCount = cpuCount
    let isDense = cpuCount <= Self.denseMax
    dense = isDense ? Array(repeating: 0, count: cpuCount * cpuCount) : []
  }

  mutating func add(from sender: Int, to receivers: CPUMask) {
    for receiver in receivers.cpus where receiver < cpuCount {
      if dense.isEmpty {
        sparse[UInt32(sender) << 16 | UInt32(receiver), default: 0] += 1
      } else {
        dense[sender * cpuCount + receiver] &+= 1
      }
    }
  }

  /// Interrupts from one CPU to another.
  public subscript(sender: Int, receiver: Int) -> Int {
    dense.isEmpty
      ? sparse[UInt32(sender) << 16 | UInt32(receiver)] ?? 0
      : Int(dense[sender * cpuCount + receiver])
  }

  /// Pairs that occur, the heaviest first, then by number.
  public var pairs: [(sender: Int, receiver: Int, interrupts: Int)] {
    var found: [(sender: Int, receiver: Int, interrupts: Int)] = []
    if dense.isEmpty {
      for (pair, count) in sparse { found.append((Int(pair >> 16), Int(pair & 0xffff), count)) }
    } else {
      for index in dense.indices where dense[index] > 0 {
        found.append((index / cpuCount, index % cpuCount, Int(dense[index])))
      }
    }
    return found.sorted {
      ($1.interrupts, $0.sender, $0.receiver) < ($0.interrupts, $1.sender, $1.receiver)
    }
  }

  /// All of them.
  public var total: Int {
    dense.isEmpty ? sparse.values.reduce(0, +) : dense.reduce(0) { $0 + Int($1) }
  }
}

extension CPUMask {
  /// The CPUs in it, ascending.
  public var cpus: [Int] {
    var found: [Int] = []
    forEach { found.append($0) }
    return found
  }
}

extension Reconstruction {
  /// Takes a call chain for the shootdown that its CPU has begun; later ones of the same are from
  /// inside it.
  mutating func chain(_ kind: EventKind, _ cpu: Int, _ word: UInt64) {
    guard word != EventBatch.absent, cpus[cpu].open != Self.noShootdown else { return }
    let slot = Int(cpus[cpu].open &- shootdownsBase)
    guard slot < shootdowns.count else { return }
    let chain = UInt32(truncatingIfNeeded: word)
    if kind == .kernelStack, shootdowns[slot].kernelChain == CallChains.none {
      shootdowns[slot].kernelChain = chain
    } else if kind == .userStack, shootdowns[slot].userChain == CallChains.none {
      shootdowns[slot].userChain = chain
    }
  }

  /// Books a shootdown that is complete.
  mutating func account(_ slot: Int) {
    if shootdowns[slot].kernelChain != CallChains.none {
      shootdowns[slot].pathCause = initiators?.cause(shootdowns[slot].kernelChain)
    }
    initiators?.note(shootdowns[slot])
  }

  /// A context switch, for the account of its CPU.
  mutating func switched(_ cpu: Int, _ time: UInt64, task: Int64) {
    guard context.window.contains(time) else { return }
    let index = tasks.index(of: Int32(truncatingIfNeeded: task))
    victims?.switched(cpu, to: index, isUser: !tasks.states[Int(index)].isLazy)
  }
}
