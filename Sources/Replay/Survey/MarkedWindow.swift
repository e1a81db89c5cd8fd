/// A window between two marks of a trace, and where it came from.
public struct MarkedWindow: Sendable, Equatable {
  /// The span, both marks included.
  public var span: TimeWindow
  /// What the marks say.
  public var startLabel: String
  /// See ``startLabel``.
  public var endLabel: String

  /// Words that begin or end a window, as whole marks or as their last part.
  private static let pairs = [
    ("BEGIN", "END"), ("START", "STOP"), ("START", "END"), ("BEFORE", "AFTER"),
  ]
  /// The signals that stand for marks where `trace_marker` is not recorded (perf): SIGURG begins and
  /// SIGWINCH ends, because both are ignored by default.
  private static let signals = (begin: "signal 23 ", end: "signal 28 ")

  /// The window between the first mark `begin` and the first mark `end` behind it.
  public static func between(_ begin: String, _ end: String, in marks: [TraceMark])
    -> MarkedWindow?
  {
    func matches(_ mark: TraceMark, _ name: String) -> Bool {
      mark.label == name || (mark.isSignal && mark.label.hasPrefix(signalPrefix(name)))
    }
    guard let start = marks.first(where: { matches($0, begin) }),
      let stop = marks.first(where: { matches($0, end) && $0.time >= start.time && $0 != start })
    else { return nil }
    return MarkedWindow(
      span: TimeWindow(start: start.time, end: stop.time), startLabel: start.label,
      endLabel: stop.label)
  }

  /// The window that the trace offers by itself: a pair of texts, else a pair of signals to one task.
  public static func offered(by marks: [TraceMark]) -> MarkedWindow? {
    let texts = marks.filter { !$0.isSignal }
    for (begin, end) in pairs {
      for start in texts {
        guard let stem = stem(start.label, ending: begin) else { continue }
        let last = texts.last { self.stem($0.label, ending: end) == stem && $0.time > start.time }
        if let last {
          return MarkedWindow(
            span: TimeWindow(start: start.time, end: last.time), startLabel: start.label,
            endLabel: last.label)
        }
      }
    }
    if texts.count == 2, texts[0].label != texts[1].label {
      return MarkedWindow(
        span: TimeWindow(start: texts[0].time, end: texts[1].time), startLabel: texts[0].label,
        endLabel: texts[1].label)
    }
    let sent = marks.filter(\.isSignal)
    for start in sent where start.label.hasPrefix(signals.begin) {
      let task = start.label.dropFirst(signals.begin.count)
      if let stop = sent.last(where: {
        $0.label == signals.end + task && $0.time > start.time
      }) {
        return MarkedWindow(
          span: TimeWindow(start: start.time, end: stop.time), startLabel: start.label,
          endLabel: stop.label)
      }
    }
    return nil
  }

  /// `sig:23` and `signal 23` both name signal 23, whoever got it.
  private static func signalPrefix(_ name: String) -> String {
    name.hasPrefix("sig:") ? "signal \(name.dropFirst(4)) " : name + " "
  }

  private static func stem(_ label: String, ending word: String) -> String? {
    let upper = label.uppercased()
    guard upper.hasSuffix(word) else { return nil }
    return String(upper.dropLast(word.count))
  }
}
