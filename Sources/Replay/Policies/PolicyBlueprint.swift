/// A policy as a replay can run it: what it is called, what it asks of a trace, how it is made.
public struct PolicyBlueprint: Sendable {
  /// What tells a policy that a deferral has to end, beside the allocation of a frame.
  enum Trigger: Sendable {
    case refill, writeProtectFault, writableMapping, fileWrite, drain, userFault, unmapRange
    case truncate, pressure, promotion
  }

  /// The name that reports show.
  public let name: String
  /// What this policy leaves out or takes for granted, for the notes of a report.
  private(set) var limits: [String]
  /// The triggers that it listens to.
  let triggers: [Trigger]
  /// Whether it makes a difference to it how pages were mapped; if not, one case is enough.
  let asksForPermissions: Bool
  /// Whether some of its triggers are assumed where the trace does not tell.
  let guessesTriggers: Bool
  /// What its row cannot be below; nil where the recorded run says nothing of that.
  let floor: Floor?

  /// What a policy credits to a CPU, and when it flushes beside allocations: no policy with these
  /// chances interrupts less than the one that uses each of them.
  struct Floor: Sendable {
    let credit: LazyFlushRules.Credit
    let chances: MomentKindSet
    /// Triggers that the policy does not need but that are chances too.
    var triggers: [Trigger] = []
    /// Whether the policy itself uses each of them: then its own ``ReplayAssumption/allPossible`` is it.
    var isPolicyItself = false

    func replay(_ context: ReplayContext) -> any PolicyReplay {
      PolicyRun(
        IdealUnmapFlush(cpuCount: context.cpuCount, crediting: credit, at: chances),
        .allPossible, context, isChecked: false)
    }
  }
  /// From which moments on ``ReplayAssumption/allPossible`` may differ from the case that is shown; nil
  /// where it may from the start.
  let partsOn: ReplayDoubts?
  /// Whether it makes a difference to it how long flushes last.
  let asksForDurations: Bool
  /// Whether it makes a difference to it which threads are one process.
  let asksForProcesses: Bool
  /// Whether it follows frames from their free to their next allocation.
  let asksForFrames: Bool
  /// Whether it changes flushes of one mm or adds some, and not only those of unmap batches.
  let changesOtherFlushes: Bool
  /// The rules of a lazy unmap flush; nil for other policies.
  private var rules: LazyFlushRules?
  /// The policy by itself, for tests that wrap it.
  let policy: @Sendable (ReplayAssumption, ReplayContext) -> any FlushPolicy
  private let make: @Sendable (ReplayAssumption?, ReplayContext, Bool) -> any PolicyReplay

  /// A blueprint of the policies that `policy` makes, for an assumption on a machine.
  @inline(__always)
  init<Policy: FlushPolicy>(
    name: String, limits: [String] = [], triggers: [Trigger] = [], asksForPermissions: Bool = true,
    guessesTriggers: Bool = false, floor: Floor? = nil, partsOn: ReplayDoubts? = nil,
    asksForDurations: Bool = false, asksForProcesses: Bool = false, asksForFrames: Bool = true,
    changesOtherFlushes: Bool = false,
    _ policy: @escaping @Sendable (ReplayAssumption, ReplayContext) -> Policy
  ) {
    self.name = name
    self.limits = limits
    self.triggers = triggers
    self.asksForPermissions = asksForPermissions
    self.guessesTriggers = guessesTriggers
    self.floor = floor
    self.partsOn = partsOn
    self.asksForDurations = asksForDurations
    self.asksForProcesses = asksForProcesses
    self.asksForFrames = asksForFrames
    self.changesOtherFlushes = changesOtherFlushes
    self.policy = policy
    make = { assumption, context, isChecked in
      PolicyRun(policy(assumption ?? .expected, context), assumption, context, isChecked: isChecked)
    }
  }

  /// How the toggles are set, by their names in a policy file; none for policies without toggles.
  public var settings: [(name: String, value: String)] {
    rules.map { rules in PolicyToggle.all.map { ($0.name, $0.read(rules)) } } ?? []
  }

  /// The same, known to follow these rules.
  func following(_ rules: LazyFlushRules) -> PolicyBlueprint {
    var known = self
    known.rules = rules
    return known
  }

  /// The same with one more limit.
  func noting(_ limit: String) -> PolicyBlueprint {
    var noted = self
    noted.limits.append(limit)
    return noted
  }

  /// One replay for each assumption that makes a difference; the shown one is checked for safety.
  func replays(_ context: ReplayContext) -> [any PolicyReplay] {
    guard asksForPermissions || asksForProcesses else { return [make(nil, context, true)] }
    let cases = ReplayAssumption.allCases.filter { $0 != .allPossibleAtOnce || asksForDurations }
    return cases.map {
      make($0, context, $0 == .expected || context.checksEveryCase)
    }
  }
}

/// A line of the catalogue, and the policies that go by its name.
public struct PolicyEntry: Sendable {
  /// The name as the catalogue shows it, with `N` for a number.
  public let name: String
  /// One line on what it does, and where its rules come from.
  public let summary: String
  /// See ``summary``.
  public let source: String
  /// A name that can be asked for: `name` itself, or one with a number in it.
  public let sampleName: String
  /// The policy for a name typed; nil where the name is another's.
  let blueprint: @Sendable (String) -> PolicyBlueprint?

  /// A policy without parameters.
  init(summary: String, source: String, _ blueprint: PolicyBlueprint) {
    name = blueprint.name
    sampleName = blueprint.name
    self.summary = summary
    self.source = source
    self.blueprint = { $0 == blueprint.name ? blueprint : nil }
  }

  /// A policy with a number at the end of its name.
  init(
    prefix: String, numbers: ClosedRange<Int>, sample: Int, summary: String, source: String,
    _ blueprint: @escaping @Sendable (String, Int) -> PolicyBlueprint
  ) {
    name = prefix + "N"
    sampleName = "\(prefix)\(sample)"
    self.summary = summary
    self.source = source
    self.blueprint = { typed in
      guard typed.hasPrefix(prefix), let number = Int(typed.dropFirst(prefix.count)),
        numbers.contains(number)
      else { return nil }
      return blueprint(typed, number)
    }
  }
}
