/// What a policy takes from the recorded interrupts and what it adds, by the cause of shootdowns.
///
/// An interrupt that a policy adds is charged to the cause of the shootdown at hand or, where it
/// pays for deferrals, to the causes of those that are open then, in proportion to the interrupts
/// that they had saved. So the sums over all causes are the changes of the TLB row, to a rounding.
public struct CauseChanges: Sendable, Equatable {
  /// Interrupts of recorded shootdowns that do not happen, by ``FlushCause`` raw value.
  public private(set) var removed = Array(repeating: 0, count: FlushCause.allCases.count)
  /// Interrupts of flushes that the recorded run did not do, likewise.
  public private(set) var added = Array(repeating: 0.0, count: FlushCause.allCases.count)

  /// Cause of the shootdown that the policy looks at.
  var atHand = FlushCause.unknown
  /// Interrupts saved by deferrals that are open, by cause, and their sum.
  private var open = Array(repeating: 0, count: FlushCause.allCases.count)
  private var openTotal = 0
  /// By deferral: what it saved, and its cause.
  private var deferrals: [(saved: UInt16, cause: FlushCause)] = []

  /// Nothing.
  public init() {}

  /// Interrupts avoided less those added for it.
  public func avoided(_ cause: FlushCause) -> Double {
    Double(removed[Int(cause.rawValue)]) - added[Int(cause.rawValue)]
  }

  mutating func putOff(_ shootdown: borrowing Shootdown, as deferral: UInt32) {
    let cause = shootdown.bestCause
    let saved = shootdown.countedInterrupts.count
    removed[Int(cause.rawValue)] += saved
    let slot = Int(deferral)
    if slot >= deferrals.count {
      deferrals.append(
        contentsOf: repeatElement((saved: 0, cause: .unknown), count: slot + 1 - deferrals.count))
    }
    deferrals[slot] = (UInt16(clamping: saved), cause)
    open[Int(cause.rawValue)] += saved
    openTotal += saved
  }

  mutating func broadcast(_ shootdown: borrowing Shootdown) {
    removed[Int(shootdown.bestCause.rawValue)] += shootdown.countedInterrupts.count
  }

  mutating func settle(_ deferral: UInt32) {
    let slot = Int(deferral)
    guard slot < deferrals.count, deferrals[slot].saved > 0 else { return }
    open[Int(deferrals[slot].cause.rawValue)] -= Int(deferrals[slot].saved)
    openTotal -= Int(deferrals[slot].saved)
    deferrals[slot].saved = 0
  }

  mutating func flushed(_ interrupts: Int, _ fate: DeferralFate, _ moment: borrowing Moment) {
    guard interrupts > 0 else { return }
    if fate == .unmap {
      // Only ``InaccessibleFlush`` flushes what the recorded run unmapped without a flush.
      added[Int(FlushCause.promotion.rawValue)] += Double(interrupts)
    } else if openTotal > 0 {
      let share = Double(interrupts) / Double(openTotal)
      for cause in open.indices where open[cause] > 0 {
        added[cause] += share * Double(open[cause])
      }
    } else {
      added[Int(atHand.rawValue)] += Double(interrupts)
    }
  }

  /// Equal figures; how they came about makes no difference.
  public static func == (a: CauseChanges, b: CauseChanges) -> Bool {
    a.removed == b.removed && a.added == b.added
  }
}
