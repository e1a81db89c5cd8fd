public import TraceEvents

/// The recorded shootdowns on fewer CPUs: CPU number modulo their count.
///
/// Each shootdown (from its `tlb_flush` reason 4 to the CPU's next one) interrupts every CPU once that
/// any of its receivers is folded onto, and not the one that its sender is folded onto. What else would
/// be different with fewer CPUs is not in a trace: threads would run one after the other, leave their
/// CPUs' masks and take longer. So it is the recorded run's own row that is folded, and no policy's.
public struct FoldedShootdowns: Sendable {
  /// CPUs to fold onto.
  public let counts: [Int]
  /// Interrupts by CPU for each of ``counts``.
  public private(set) var rows: [[Int]]
  /// Requests that were counted.
  public private(set) var requests = 0

  private let window: TimeWindow
  private let function: UInt64?
  /// By sender, then count: the folded CPUs that the shootdown at hand interrupts already.
  private var reached: [[CPUMask]]

  /// Nothing counted yet.
  public init(_ counts: [Int], _ context: ReplayContext) {
    self.counts = counts
    rows = counts.map { Array(repeating: 0, count: max($0, 1)) }
    window = context.window
    function = context.flushFunction
    reached = Array(
      repeating: counts.map { _ in CPUMask() }, count: max(context.cpuCount, 1))
  }

  /// Counts the shootdowns of `batch`; batches come in order of time.
  public mutating func absorb(_ batch: borrowing EventBatch) {
    for row in 0..<batch.count {
      let sender = Int(batch.cpu(row))
      guard sender < reached.count else { continue }
      switch batch.event(row) {
      case EventKind.tlbFlush.rawValue:
        guard batch.word(row, TLBFlush.reason) == UInt64(FlushReason.remoteSendIPI.rawValue)
        else { continue }
        for index in counts.indices { reached[sender][index].removeAll() }
      case EventKind.csdQueueCPU.rawValue:
        guard let function, batch.word(row, CSDQueue.function) == function,
          window.contains(batch.timestamp(row))
        else { continue }
        note(from: sender, to: batch.word(row, CSDQueue.cpu))
      default: continue
      }
    }
  }

  private mutating func note(from sender: Int, to receiver: UInt64) {
    guard receiver < UInt64(CPUMask.cpuLimit) else { return }
    requests += 1
    for (index, count) in counts.enumerated() {
      let folded = Int(receiver) % count
      guard folded != sender % count, !reached[sender][index].contains(folded) else { continue }
      reached[sender][index].insert(folded)
      rows[index][folded] += 1
    }
  }
}
