/// How bad a finding is.
public enum FindingSeverity: String, Sendable, Comparable {
  /// Worth knowing, nothing is missing.
  case note
  /// Events may be missing or wrong around it.
  case loss
  /// The file is damaged there.
  case damage

  /// Notes are less than losses, losses less than damage.
  public static func < (a: FindingSeverity, b: FindingSeverity) -> Bool {
    let order: [FindingSeverity] = [.note, .loss, .damage]
    return (order.firstIndex(of: a) ?? 0) < (order.firstIndex(of: b) ?? 0)
  }
}

/// One way in which the input was not what it should be, and how often.
public struct Finding: Sendable, Equatable {
  /// A stable identifier in kebab case (`truncated-page`).
  public let name: String
  /// How bad it is.
  public let severity: FindingSeverity
  /// How often it was met.
  public var count: Int
  /// Byte offset (of the decompressed file, where the whole file is compressed) of the first one.
  public let firstOffset: Int?
  /// What was expected and what was there, for the first one.
  public let detail: String
}

/// A place where the recorder says that it lost events.
public struct LossMark: Sendable, Equatable {
  /// The CPU whose buffer overflowed.
  public var cpu: UInt16
  /// They are missing before the CPU's first event from then on.
  public var time: UInt64
  /// How many; nil where the recorder does not know.
  public var count: UInt64?

  /// A mark.
  public init(cpu: UInt16, time: UInt64, count: UInt64?) {
    self.cpu = cpu
    self.time = time
    self.count = count
  }
}

/// Events that the recorder itself says it lost.
public struct LostEvents: Sendable, Equatable {
  /// Marks kept; a trace with more lost nearly everything.
  public static let marksMax = 1 << 16
  /// Where the losses are, as far as the form tells; in no order.
  public private(set) var marks: [LossMark] = []
  /// Losses with a number: their sum.
  public var known = 0
  /// Losses without a number: how many such marks.
  public var unknownMarks = 0

  /// Nothing lost.
  public init() {}

  /// Notes where a loss is that the sums already hold.
  public mutating func mark(_ mark: LossMark) {
    if marks.count < Self.marksMax { marks.append(mark) }
  }

  /// The same losses, in whatever order they were read.
  public static func == (a: LostEvents, b: LostEvents) -> Bool {
    a.known == b.known && a.unknownMarks == b.unknownMarks && a.sortedMarks == b.sortedMarks
  }

  private var sortedMarks: [LossMark] {
    marks.sorted { ($0.time, $0.cpu, $0.count ?? .max) < ($1.time, $1.cpu, $1.count ?? .max) }
  }

  /// Whether nothing is known to be lost.
  public var isEmpty: Bool { known == 0 && unknownMarks == 0 }
}

/// Every way in which the input was bad, by name, so that none passes silently.
public struct IngestStatistics: Sendable {
  /// Findings in the order in which they were first met.
  public private(set) var findings: [Finding] = []
  /// What the recorder says it lost.
  public var lost = LostEvents()
  /// Bytes of input read so far, for progress; 0 where unknown.
  public var bytesRead = 0

  /// No findings.
  public init() {}

  /// Notes one more occurrence of `name`; offset and detail are kept of the first.
  public mutating func note(
    _ name: String, _ severity: FindingSeverity, at offset: Int?,
    _ detail: @autoclosure () -> String
  ) {
    if let index = findings.firstIndex(where: { $0.name == name }) {
      findings[index].count += 1
    } else {
      findings.append(
        Finding(name: name, severity: severity, count: 1, firstOffset: offset, detail: detail()))
    }
  }

  /// How often `name` was noted.
  public func count(_ name: String) -> Int { findings.first { $0.name == name }?.count ?? 0 }

  /// Whether anything was damaged.
  public var isDamaged: Bool { findings.contains { $0.severity == .damage } }
}
