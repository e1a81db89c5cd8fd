/// Which threads count, and when: a thread that changes its name may do so for a while only.
public struct TaskSelection: Sendable {
  private struct Verdict: Sendable {
    var from: UInt64
    var isIn: Bool
  }

  private var verdicts: [Int32: [Verdict]] = [:]

  /// No thread.
  public init() {}

  /// Whether a thread counts at `time`; nil where it was never judged.
  public func verdict(_ task: Int32, at time: UInt64) -> Bool? {
    guard let known = verdicts[task] else { return nil }
    return (known.last { $0.from <= time } ?? known[0]).isIn
  }

  /// Whether a thread counts at `time`.
  public func contains(_ task: Int32, at time: UInt64) -> Bool {
    verdict(task, at: time) == true
  }

  /// Judges a thread by what `directory` says of it.
  mutating func judge(_ task: Int32, by request: FilterRequest, _ directory: EventDirectory) {
    var found: [Verdict] = []
    for time in [0] + directory.nameTimes(of: task) {
      let isIn = request.wants(task: task, at: time, directory)
      if found.last?.isIn != isIn { found.append(Verdict(from: time, isIn: isIn)) }
    }
    verdicts[task] = found
  }

  /// Whether a thread that was judged counts always or never.
  func isSteady(_ task: Int32) -> Bool { verdicts[task]?.count == 1 }
}
