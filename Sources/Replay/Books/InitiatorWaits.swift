/// How long the initiators of recorded shootdowns waited for their receivers, inside the window.
///
/// A wait lasts from the announcement to the last receiver's beginning of `flush_tlb_func`, which is
/// a lower bound of what the initiator waits (it goes on when the last has ended), in the trace's
/// unit. Sums only, so that memory does not grow.
public struct InitiatorWaits: Sendable, Equatable {
  /// Shootdowns whose receivers are all seen to answer.
  public private(set) var count = 0
  /// Sums of the receivers, of their squares, of the waits, of their squares and of the products.
  public private(set) var receivers = 0.0
  /// See ``receivers``.
  public private(set) var receiversSquared = 0.0
  /// See ``receivers``.
  public private(set) var waits = 0.0
  /// See ``receivers``.
  public private(set) var waitsSquared = 0.0
  /// See ``receivers``.
  public private(set) var products = 0.0
  /// Shootdowns that nobody was interrupted for: all other CPUs were lazy.
  public private(set) var alone = 0

  /// How many of the shootdowns wait for somebody, from 0 to 1; nil where none is seen.
  public var waitingShare: Double? {
    count + alone > 0 ? Double(count) / Double(count + alone) : nil
  }

  /// No shootdown yet.
  public init() {}

  /// A shootdown of so many receivers.
  public mutating func note(start: UInt64, answered: UInt64, receivers: Int) {
    guard receivers > 0 else {
      alone += 1
      return
    }
    guard answered >= start else { return }
    let wait = Double(answered - start)
    let others = Double(receivers)
    count += 1
    self.receivers += others
    receiversSquared += others * others
    waits += wait
    waitsSquared += wait * wait
    products += wait * others
  }
}
