import Statistics

/// What the cover letter of a patch series says of two runs: claims, the machine, and the numbers of
/// both sides. Only what is known stands in it.
public struct CoverLetter: Sendable {
  /// Sentences with the change in each, in the order in which they are numbered.
  var claims: [String] = []
  /// What is known of the machine: `Machine`, `CPU`, `Numa`, `Config`.
  var environment: [(name: String, value: String)] = []
  /// What was run.
  var testSet: [String] = []
  /// Numbers of both sides.
  var blocks: [Block] = []
  /// What a reader must know of the numbers.
  var notes: [String] = []

  /// One kind of number, before and after.
  struct Block: Sendable {
    var title: String
    var before: Side
    var after: Side
  }

  /// Numbers of one side.
  struct Side: Sendable {
    /// What stands behind `BEFORE` or `AFTER`: the name of a policy; empty for none.
    var label = ""
    var content: Content
    /// Where the numbers come from and how sure they are; empty where the notes say it.
    var source: [String] = []
  }

  /// Numbers.
  enum Content: Sendable {
    /// The TLB row of /proc/interrupts, and the width of its label.
    case row([UInt64], labelWidth: Int)
    /// Counts as `perf stat` prints them.
    case counters([(name: String, count: Double)])
    /// Text.
    case lines([String])
  }

  /// A letter without a word.
  init() {}

  /// `tlb flushes are reduced about 95% (-94.90%)`.
  ///
  /// - Parameters:
  ///   - subject: what changed, with its verb: `tlb flushes are`.
  ///   - percent: the change; nil where nothing can be said in per cent.
  ///   - evidence: what stands behind the change in brackets.
  static func claim(_ subject: String, _ percent: Double?, _ evidence: [String] = []) -> String? {
    guard let percent, percent.isFinite else { return nil }
    let size = abs(percent).rounded()
    let words =
      size < 1
      ? "about the same"
      : "\(percent < 0 ? "reduced" : "increased") about \(Quantity.format("%.0f", size))%"
    return "\(subject) \(words) ("
      + ([Quantity.format("%+.2f%%", percent)] + evidence).joined(separator: "; ") + ")."
  }
}
