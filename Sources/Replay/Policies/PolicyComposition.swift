/// A policy that is put together from a known one and toggles: what a policy file says.
public struct PolicyComposition: Sendable {
  /// What cannot be done, in words for the writer of the file.
  public struct Refusal: Error, Sendable, Equatable {
    /// The words.
    public let message: String
  }

  /// A value as TOML has it.
  public enum Value: Sendable, Equatable {
    /// `true` or `false`.
    case flag(Bool)
    /// A string.
    case word(String)
    /// An integer.
    case number(Int)

    var text: String {
      switch self {
      case .flag(let flag): flag ? "true" : "false"
      case .word(let word): word
      case .number(let number): "\(number)"
      }
    }
  }

  private enum Rules {
    case lazyFlush(LazyFlushRules)
    case latr(LATR.Rules)
  }

  /// The policies that toggles can change.
  public static var bases: [String] {
    LazyFlushRules.versions.map(\.name) + [LATR.Rules().name]
  }
  private static let latrToggles = ["ticks_per_second", "records_per_cpu"]
  private static let nameLengthMax = 32

  private let name: String
  private let base: String
  private var rules: Rules
  private var changes: [String] = []

  /// The policy `base` under another name.
  public init(name: String, base: String) throws(Refusal) {
    let isPlain = name.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f && $0 != UInt8(ascii: "/") }
    guard isPlain, !name.isEmpty, name.utf8.count <= Self.nameLengthMax else {
      throw Refusal(
        message: "a name has 1 to \(Self.nameLengthMax) printable characters, no spaces and no /")
    }
    guard !PolicyCatalog.isKnown(name) else {
      throw Refusal(message: "\"\(name)\" is the name of a known policy: choose another one")
    }
    self.name = name
    self.base = base
    if let version = LazyFlushRules.versions.first(where: { $0.name == base }) {
      rules = .lazyFlush(version)
    } else if base == LATR.Rules().name {
      rules = .latr(LATR.Rules())
    } else {
      throw Refusal(
        message: "\"\(base)\" is no base; bases are \(Self.bases.joined(separator: ", "))")
    }
  }

  /// Sets a toggle.
  public mutating func set(_ toggle: String, to value: Value) throws(Refusal) {
    switch rules {
    case .lazyFlush(let old): rules = .lazyFlush(try Self.changed(old, toggle, value))
    case .latr(let old): rules = .latr(try Self.changed(old, toggle, value))
    }
    changes.append("\(toggle) = \(value.text)")
  }

  /// The policy; refuses combinations that no replay knows how to run.
  public func blueprint() throws(Refusal) -> PolicyBlueprint {
    let made: PolicyBlueprint
    switch rules {
    case .lazyFlush(var rules):
      rules.name = name
      if let obstacle = Self.obstacle(rules) { throw Refusal(message: obstacle) }
      made = rules.blueprint
    case .latr(var rules):
      rules.name = name
      made = LATR.blueprint(rules)
    }
    return made.noting(
      "composed: \(base)" + (changes.isEmpty ? "" : " with \(changes.joined(separator: ", "))"))
  }

  private static func changed(
    _ old: LazyFlushRules, _ name: String, _ value: Value
  ) throws(Refusal) -> LazyFlushRules {
    guard let toggle = PolicyToggle.all.first(where: { $0.name == name }) else {
      let names = PolicyToggle.all.map(\.name).joined(separator: ", ")
      throw Refusal(message: "unknown toggle \"\(name)\"; toggles are \(names)")
    }
    if toggle.values.contains(value.text), toggle.isFlag == value.isFlag {
      var rules = old
      toggle.write(value.text, &rules)
      return rules
    }
    if toggle.values.isEmpty, toggle.read(old) == value.text { return old }
    if let missing = toggle.missing.first(where: { $0.value == value.text }) {
      throw Refusal(message: "\(name) = \(value.text) cannot be replayed: \(missing.reason)")
    }
    let known = toggle.values.isEmpty ? [toggle.read(old)] : toggle.values
    let words = known.map { toggle.isFlag || toggle.values.isEmpty ? $0 : "\"\($0)\"" }
    throw Refusal(message: "\(name) can be \(words.joined(separator: " or "))")
  }

  private static func changed(
    _ old: LATR.Rules, _ name: String, _ value: Value
  ) throws(Refusal) -> LATR.Rules {
    guard latrToggles.contains(name) else {
      throw Refusal(
        message: "unknown toggle \"\(name)\"; those of latr are "
          + latrToggles.joined(separator: ", "))
    }
    guard case .number(let number) = value, (1...100_000).contains(number) else {
      throw Refusal(message: "\(name) can be a number from 1 to 100000")
    }
    var rules = old
    if name == latrToggles[0] {
      rules.ticksPerSecond = UInt64(number)
    } else {
      rules.recordsPerCPU = number
    }
    return rules
  }

  /// Rules that the replay of their domain does not look at.
  private static func obstacle(_ rules: LazyFlushRules) -> String? {
    let domain = "pending_domain = \"\(rules.domain.rawValue)\""
    if rules.domain == .global {
      if rules.credit != .batchFlushes {
        return
          "credit_batch_flush other than \"batch\" needs pending_domain = \"table\" or \"node\": "
          + "with \(domain) one mask stands for all batches"
      }
      if rules.skipsForAtomicAllocations {
        return "atomic_alloc = \"skip\" needs pending_domain = \"table\" or \"node\""
      }
      return nil
    }
    if rules.forgetsInBuddy { return "buddy_ugen = \"lost\" needs pending_domain = \"global\"" }
    if rules.flushesAfterRefill { return "\(domain) needs refill_flush = \"exact\"" }
    if rules.givesUpWhileFlushing { return "\(domain) needs giveup_when_flushing = false" }
    if !rules.creditsWhileFlushing { return "\(domain) needs credit_while_flushing = true" }
    return nil
  }
}

extension PolicyComposition.Value {
  var isFlag: Bool {
    if case .flag = self { return true }
    return false
  }
}

extension LazyFlushRules {
  /// Every version that can be replayed.
  static let versions = [migrc3, migrc8, migrc9, v10, v10AsPosted, v11, v12, v12Rules]
}
