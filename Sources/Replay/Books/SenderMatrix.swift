/// Shootdown interrupts by the CPU that sent them and the CPU that received them.
///
/// Machines of more than ``groupsMax`` CPUs have several of them in one row and column, so that the
/// matrix stays small.
public struct SenderMatrix: Sendable, Equatable {
  /// Rows and columns that a matrix has at most.
  static let groupsMax = 256

  /// CPUs, and how many neighbours share a row or column.
  public let cpuCount: Int
  /// See ``cpuCount``.
  public let cpusPerGroup: Int
  /// Rows, which are as many as columns.
  public let groupCount: Int
  /// By sender, then receiver.
  private var counts: [Int]

  init(cpuCount: Int) {
    self.cpuCount = max(cpuCount, 1)
    cpusPerGroup = (self.cpuCount - 1) / Self.groupsMax + 1
    groupCount = (self.cpuCount - 1) / cpusPerGroup + 1
    counts = Array(repeating: 0, count: groupCount * groupCount)
  }

  /// Interrupts from the CPUs of one group to those of another.
  public func count(from sender: Int, to receiver: Int) -> Int {
    counts[sender * groupCount + receiver]
  }

  /// Interrupts whose sender is known.
  public var total: Int { counts.reduce(0, &+) }

  /// Interrupts whose sender is known, by receiving group.
  public var received: [Int] {
    (0..<groupCount).map { receiver in
      (0..<groupCount).reduce(0) { $0 &+ counts[$1 * groupCount + receiver] }
    }
  }

  /// Adds `count` from `sender` to each of `receivers`.
  mutating func add(_ count: Int, from sender: Int, to receivers: CPUMask) {
    guard !receivers.isEmpty else { return }
    let row = sender / cpusPerGroup &* groupCount
    let cpusPerGroup = cpusPerGroup
    receivers.forEach { counts[row &+ $0 / cpusPerGroup] &+= count }
  }

  /// The recorded interrupts with a policy's `changes`.
  func changed(by changes: SenderMatrix) -> SenderMatrix {
    guard changes.cpuCount == cpuCount else { return self }
    var sum = self
    for index in counts.indices { sum.counts[index] &+= changes.counts[index] }
    return sum
  }
}

/// Where a policy changes interrupts, in time and by sender; kept only where it will be drawn.
struct InterruptChanges {
  private(set) var timeline: ShootdownTimeline
  private(set) var senders: SenderMatrix

  /// Nil unless `context` asks for it.
  init?(_ context: ReplayContext) {
    guard context.recordsTimeline else { return nil }
    timeline = ShootdownTimeline(cpuCount: context.cpuCount, over: context.timelineSpan)
    senders = SenderMatrix(cpuCount: context.cpuCount)
  }

  /// A recorded shootdown interrupts nobody.
  mutating func remove(_ shootdown: borrowing Shootdown) {
    timeline.add(-1, of: shootdown.countedInterrupts, at: shootdown.start)
    senders.add(-1, from: shootdown.initiator, to: shootdown.countedInterrupts)
  }

  /// A flush of `mask` by CPU `initiator`, which leaves out lazy CPUs as ``CounterChanges`` does.
  mutating func add(
    _ mask: CPUMask, from initiator: Int, lazy: CPUMask, times: Int, at time: UInt64
  ) {
    var receivers = mask.subtracting(lazy)
    receivers.remove(initiator)
    timeline.add(times, of: receivers, at: time)
    senders.add(times, from: initiator, to: receivers)
  }
}
