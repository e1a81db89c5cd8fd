/// How often a run does what costs time.
public struct CostCounts: Sendable, Equatable {
  /// Shootdowns that an initiator announces (`flush_tlb_multi` calls).
  public var sends = 0.0
  /// Interrupts received.
  public var interrupts = 0.0
  /// Flushes without interrupts.
  public var broadcasts = 0.0
  /// Least, expected and greatest number of walks; nil where misses are not known.
  public var walks: WalkRange?

  /// Nothing.
  public init() {}

  /// Counts.
  public init(sends: Int, interrupts: Int, broadcasts: Int = 0, walks: WalkRange? = nil) {
    self.sends = Double(sends)
    self.interrupts = Double(interrupts)
    self.broadcasts = Double(broadcasts)
    self.walks = walks
  }
}

/// A number of page walks that a model gives.
public struct WalkRange: Sendable, Equatable {
  /// Least, expected, greatest.
  public var lower: Double
  /// See ``lower``.
  public var expected: Double
  /// See ``lower``.
  public var upper: Double

  /// A range; put right if it is not in order.
  public init(lower: Double, expected: Double, upper: Double) {
    self.lower = min(lower, expected)
    self.expected = expected
    self.upper = max(upper, expected)
  }
}

/// A time with its range, nanoseconds.
public struct TimeRange: Sendable, Equatable {
  /// Least, expected, greatest.
  public var lower: Double
  /// See ``lower``.
  public var expected: Double
  /// See ``lower``.
  public var upper: Double

  /// A range.
  public init(lower: Double, expected: Double, upper: Double) {
    self.lower = lower
    self.expected = expected
    self.upper = upper
  }
}

/// How far a result moves when one input goes from its lower to its upper end, all others as
/// expected.
public struct CostSwing: Sendable, Equatable {
  /// The cost, or `row` or `walks` for a count that is a range itself.
  public var name: String
  /// The result at the lower end and at the upper one.
  public var atLower: Double
  /// See ``atLower``.
  public var atUpper: Double
  /// How much that is.
  public var size: Double { (atUpper - atLower).magnitude }
}

/// The time that shootdowns take, and what a policy changes of it.
///
/// Linear in every cost: initiators `sends * send_base + interrupts * send_each` (local flush and
/// remote flushes overlap since Linux 5.13, so a wait holds both), receivers `interrupts * receive`,
/// refills `walks * walk`. It adds up time of all CPUs; whether the work waits for it is not modelled.
public struct TimeEstimate: Sendable {
  private let costs: CostTable

  /// An estimate with these costs.
  public init(_ costs: CostTable) { self.costs = costs }

  /// Time that initiators wait.
  public func initiators(_ counts: CostCounts) -> TimeRange {
    sum([
      ("send_base", counts.sends), ("send_each", counts.interrupts),
      ("broadcast", counts.broadcasts),
    ])
  }

  /// Time that receivers spend.
  public func receivers(_ counts: CostCounts) -> TimeRange { sum([("receive", counts.interrupts)]) }

  /// Time of page walks; nil where misses are not known.
  public func refills(_ counts: CostCounts) -> TimeRange? {
    guard let walks = counts.walks, let cost = costs["walk"] else { return nil }
    return TimeRange(
      lower: walks.lower * (walks.lower < 0 ? cost.upper : cost.lower),
      expected: walks.expected * cost.expected,
      upper: walks.upper * (walks.upper < 0 ? cost.lower : cost.upper))
  }

  /// All of it.
  public func total(_ counts: CostCounts) -> TimeRange {
    var total = shootdowns(counts)
    if let refills = refills(counts) {
      total.lower += refills.lower
      total.expected += refills.expected
      total.upper += refills.upper
    }
    return total
  }

  /// Time for a number of pages migrated.
  public func migrations(_ pages: Int) -> TimeRange { sum([("migrate_page", Double(pages))]) }

  /// What a change of counts takes or, negative, saves, when every cost may be anywhere in its range:
  /// each end of a linear function lies at ends of the costs.
  private func shootdowns(_ counts: CostCounts) -> TimeRange {
    sum([
      ("send_base", counts.sends), ("send_each", counts.interrupts),
      ("broadcast", counts.broadcasts), ("receive", counts.interrupts),
    ])
  }

  /// Time that a policy saves: `before` and `after` with the same costs. `fewest` and `most` are the
  /// ends of what the counts of `after` may be.
  public func saved(
    _ before: CostCounts, _ after: CostCounts, fewest: CostCounts, most: CostCounts
  ) -> TimeRange {
    TimeRange(
      lower: total(difference(before, most)).lower,
      expected: total(difference(before, after)).expected,
      upper: total(difference(before, fewest)).upper)
  }

  /// How far each input moves what is saved, the largest first; inputs that do not matter are left
  /// out.
  public func swings(
    _ before: CostCounts, _ after: CostCounts, fewest: CostCounts, most: CostCounts
  ) -> [CostSwing] {
    let change = difference(before, after)
    var swings = costs.parameters.map { parameter -> CostSwing in
      CostSwing(
        name: parameter.name,
        atLower: with(parameter.name, parameter.range.lower).total(change).expected,
        atUpper: with(parameter.name, parameter.range.upper).total(change).expected)
    }
    swings.append(
      CostSwing(
        name: "row", atLower: total(difference(before, fewest)).expected,
        atUpper: total(difference(before, most)).expected))
    if let walks = change.walks {
      var low = change
      var high = change
      low.walks = WalkRange(lower: walks.lower, expected: walks.lower, upper: walks.lower)
      high.walks = WalkRange(lower: walks.upper, expected: walks.upper, upper: walks.upper)
      swings.append(
        CostSwing(name: "walks", atLower: total(low).expected, atUpper: total(high).expected))
    }
    return swings.filter { $0.size > 0 }.sorted { ($1.size, $0.name) < ($0.size, $1.name) }
  }

  private func with(_ name: String, _ value: Double) -> TimeEstimate {
    var changed = costs
    let fixed = ParameterRange(value, lower: value, upper: value, source: "", confidence: .low)
    try? changed.set(name, fixed, .chosen)
    return TimeEstimate(changed)
  }

  private func difference(_ one: CostCounts, _ two: CostCounts) -> CostCounts {
    var difference = CostCounts()
    difference.sends = one.sends - two.sends
    difference.interrupts = one.interrupts - two.interrupts
    difference.broadcasts = one.broadcasts - two.broadcasts
    if let first = one.walks, let second = two.walks {
      difference.walks = WalkRange(
        lower: first.lower - second.upper, expected: first.expected - second.expected,
        upper: first.upper - second.lower)
    }
    return difference
  }

  private func sum(_ terms: [(name: String, count: Double)]) -> TimeRange {
    var sum = TimeRange(lower: 0, expected: 0, upper: 0)
    for term in terms {
      guard let cost = costs[term.name] else { continue }
      sum.lower += term.count * (term.count < 0 ? cost.upper : cost.lower)
      sum.expected += term.count * cost.expected
      sum.upper += term.count * (term.count < 0 ? cost.lower : cost.upper)
    }
    return sum
  }
}
