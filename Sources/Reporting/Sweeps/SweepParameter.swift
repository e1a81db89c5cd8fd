/// A parameter that `sweep` can vary, and where it can.
public struct SweepParameter: Sendable {
  /// What values it has.
  public enum Domain: Sendable {
    /// Whole numbers.
    case whole(ClosedRange<Int>)
    /// Nanoseconds or the like, whole or not.
    case decimal(ClosedRange<Double>)
    /// Names and files.
    case word
  }

  /// How a point with another value is reached from a recorded trace.
  public enum Way: Sendable, Equatable {
    /// The trace is replayed.
    case replay
    /// A replay is looked at again.
    case model
    /// Flushes of the recorded run are sorted anew.
    case flushSizes
    /// Shootdowns of the recorded run are folded onto fewer CPUs.
    case folding
  }

  /// Its name on the command line.
  public let name: String
  /// One line.
  public let summary: String
  /// What values it has.
  public let domain: Domain
  /// How a trace is looked at; nil where none tells.
  public let way: Way?
  /// Why no trace tells.
  public let traceRefusal: String
  /// Why no scenario can vary it; nil where one can.
  public let scenarioRefusal: String?
  /// The figure that it moves most.
  public let figure: String

  init(
    _ name: String, _ summary: String, _ domain: Domain, way: Way?, traceRefusal: String = "",
    scenarioRefusal: String? = nil, figure: String = "tlb_row"
  ) {
    self.name = name
    self.summary = summary
    self.domain = domain
    self.way = way
    self.traceRefusal = traceRefusal
    self.scenarioRefusal = scenarioRefusal
    self.figure = figure
  }

  /// The start of names of costs: `cost.receive`.
  public static let costPrefix = "cost."

  /// Every one, in the order of help texts. A new one adds its line here.
  public static let all = [
    SweepParameter(
      "policy", "flush policies, by name or file", .word, way: .replay),
    SweepParameter(
      "batch", "pages that a task unmaps for one flush: the policy batch-N", .whole(1...1 << 20),
      way: .replay),
    SweepParameter(
      "flush-duration", "ns that a flush lasts which the recorded run did not do",
      .whole(0...1_000_000_000), way: .replay,
      scenarioRefusal: "on the modelled machine it follows from its costs: change [costs]"),
    SweepParameter(
      "generation-bits", "width of the generations of lazy unmap flush", .whole(2...64),
      way: .replay,
      scenarioRefusal: "generations do not wrap on the modelled machine: sweep its trace",
      figure: "wraps"),
    SweepParameter(
      "ceiling", "pages up to which a flush goes page by page (tlb_single_page_flush_ceiling)",
      .whole(0...FlushCeiling.highest), way: .flushSizes,
      scenarioRefusal: "the modelled machine does not count pages of a flush: sweep its trace",
      figure: "full_flushes"),
    SweepParameter(
      "machine", "machines whose TLBs are refilled, by name or file", .word, way: .model,
      scenarioRefusal: "a scenario describes its machine itself", figure: "refills_max"),
    SweepParameter(
      "cpus", "CPUs", .whole(1...4096), way: .folding),
    SweepParameter(
      "dram", "memory of the fastest node, in per cent of the scenario's", .whole(1...1000),
      way: nil,
      traceRefusal:
        "with more or less DRAM other pages are reclaimed, at other times, and what was "
        + "recorded does not say which: that needs the modelled machine, sweep SCENARIO.toml"),
    SweepParameter(
      "scale", "factor on all sizes of the scenario", .decimal(1e-6...1000), way: nil,
      traceRefusal: "a recorded run has the size it has: sweep SCENARIO.toml"),
    SweepParameter(
      "seed", "where random numbers start: how much chance there is in a figure",
      .whole(0...Int.max), way: nil,
      traceRefusal: "a recorded run has no seed; repeat the recording, and compare"),
  ]

  /// The parameter of this name; one of the costs of `costs` too.
  public static func named(_ name: String, costs: [String]) -> SweepParameter? {
    if let found = all.first(where: { $0.name == name }) { return found }
    guard name.hasPrefix(costPrefix), costs.contains(String(name.dropFirst(costPrefix.count)))
    else { return nil }
    return SweepParameter(
      name, "nanoseconds", .decimal(0...1e12), way: .model,
      scenarioRefusal: "the modelled machine has costs of its own: change [costs]",
      figure: "time_ms")
  }
}

/// The highest ceiling that a trace says something of.
public enum FlushCeiling {
  /// The kernel's default: flushes of more pages are recorded as full ones.
  public static let highest = 33
}

/// A parameter with the values that it is to have.
public struct SweepAxis: Sendable {
  /// What is varied.
  public var parameter: SweepParameter
  /// Values as typed, or as a range of numbers spells them.
  public var values: [String]

  /// What is wrong with the text of an axis.
  public struct Refusal: Error, Equatable, CustomStringConvertible {
    /// In words.
    public let description: String
  }

  /// Values of one axis.
  public static let valuesMax = 256

  /// `NAME=A,B,C`; numbers also as `A..B:STEP`, or `A..B:xFACTOR` for powers.
  public init(_ text: String, costs: [String]) throws(Refusal) {
    guard let equals = text.firstIndex(of: "=") else {
      throw Refusal(description: "\"\(text)\" is no NAME=A,B,C")
    }
    let name = String(text[..<equals])
    guard let parameter = SweepParameter.named(name, costs: costs) else {
      let known =
        SweepParameter.all.map(\.name) + costs.map { SweepParameter.costPrefix + $0 }
      throw Refusal(
        description: "unknown parameter \"\(name)\"; known are \(known.joined(separator: ", "))")
    }
    self.parameter = parameter
    values = []
    for part in text[text.index(after: equals)...].split(
      separator: ",", omittingEmptySubsequences: false)
    {
      for value in try Self.spelled(part, parameter) where !values.contains(value) {
        values.append(value)
      }
      guard values.count <= Self.valuesMax else {
        throw Refusal(description: "\(name) has more than \(Self.valuesMax) values")
      }
    }
  }

  /// Whole and other numbers; nil for words.
  public var numbers: [Double]? {
    if case .word = parameter.domain { return nil }
    return values.compactMap(Double.init)
  }

  private static func spelled(
    _ part: Substring, _ parameter: SweepParameter
  ) throws(Refusal) -> [String] {
    guard !part.isEmpty else {
      throw Refusal(description: "\(parameter.name): a value between commas is missing")
    }
    switch parameter.domain {
    case .word: return [String(part)]
    case .whole(let range):
      return try steps(part, parameter).map { value throws(Refusal) in
        guard let whole = Int(exactly: value), range.contains(whole) else {
          throw Refusal(
            description: "\(parameter.name) is a whole number from \(range.lowerBound) to "
              + "\(range.upperBound), not \(MetricTolerance.number(value))")
        }
        return "\(whole)"
      }
    case .decimal(let range):
      return try steps(part, parameter).map { value throws(Refusal) in
        guard range.contains(value) else {
          throw Refusal(
            description: "\(parameter.name) is a number from "
              + "\(MetricTolerance.number(range.lowerBound)) to "
              + MetricTolerance.number(range.upperBound))
        }
        return MetricTolerance.number(value)
      }
    }
  }

  /// The numbers of `A` or of a range; at most ``valuesMax`` and one more, which is refused later.
  private static func steps(
    _ part: Substring, _ parameter: SweepParameter
  ) throws(Refusal) -> [Double] {
    func number(_ text: Substring) throws(Refusal) -> Double {
      guard let first = text.utf8.first, (0x30...0x39).contains(first), let value = Double(text),
        value.isFinite
      else {
        throw Refusal(description: "\(parameter.name): \"\(text)\" is no number of 0 or more")
      }
      return value
    }
    let ends = part.split(separator: "..", omittingEmptySubsequences: false)
    guard ends.count == 2 else { return [try number(part)] }
    let behind = ends[1].split(separator: ":", omittingEmptySubsequences: false)
    guard behind.count == 2 else {
      throw Refusal(
        description: "\(parameter.name): a range is A..B:STEP, or A..B:xFACTOR for powers")
    }
    let (from, to) = (try number(ends[0]), try number(behind[0]))
    let isFactor = behind[1].hasPrefix("x")
    let step = try number(isFactor ? behind[1].dropFirst() : behind[1])
    guard from <= to, isFactor ? step > 1 && from > 0 : step > 0 else {
      throw Refusal(
        description: "\(parameter.name): \(part) never gets from its start to its end")
    }
    var values: [Double] = []
    while values.count <= valuesMax {
      // From the start each time: steps of a tenth do not add up to exact sums.
      let count = Double(values.count)
      let next = isFactor ? (values.last.map { $0 * step } ?? from) : from + count * step
      guard next <= to * (1 + 1e-12) else { break }
      values.append(next)
    }
    return values
  }
}
