import Replay
import TraceEvents

/// By what shootdowns are put together.
public enum CulpritGrouping: String, CaseIterable, Sendable {
  /// What they were for.
  case cause
  /// The thread that initiated them, by name and id.
  case task
  /// Its thread group.
  case process
  /// The threads of one name.
  case comm
  /// The kernel's functions on the way to the flush.
  case kernelPath = "kernel-path"
  /// The program's functions on the way into the kernel.
  case userPath = "user-path"
  /// The CPU that sent.
  case cpu

  /// What the heading says.
  var title: String {
    switch self {
    case .cause: "cause"
    case .task: "task"
    case .process: "process"
    case .comm: "task name"
    case .kernelPath: "kernel call path"
    case .userPath: "user call path"
    case .cpu: "sending CPU"
    }
  }
}

/// Shootdowns put together in every way.
struct Culprits {
  /// One group.
  struct Group {
    var name: String
    var sums: ShootdownSums
    /// Of paths: which one, 0 for none.
    var path: UInt32 = 0
    /// What most of its interrupts were for.
    var cause: FlushCause = .unknown
    var task: Int32?
    var process: Int32?
  }

  let attribution: ShootdownAttribution
  let names: AttributionNames
  private(set) var paths: NamedPaths
  /// Of each group of the attribution: its kernel and user path by name.
  private let kernelPaths: [UInt32]
  private let userPaths: [UInt32]
  private var known: [CulpritGrouping: [Group]] = [:]

  /// Puts the shootdowns together in some ways.
  init(
    _ attribution: ShootdownAttribution, _ names: AttributionNames, by groupings: [CulpritGrouping]
  ) {
    self.attribution = attribution
    self.names = names
    var paths = NamedPaths(names)
    kernelPaths = attribution.groups.map { paths.kernel($0.kernelChain) }
    userPaths = attribution.groups.map {
      paths.user($0.userChain, process: names.group($0.task) ?? $0.task, time: $0.firstTime)
    }
    self.paths = paths
    for grouping in groupings where known[grouping] == nil { known[grouping] = made(by: grouping) }
  }

  /// Whether any shootdown has a call chain of the kernel, or of the user.
  var hasKernelPaths: Bool { attribution.groups.contains { $0.kernelChain != CallChains.none } }
  /// See ``hasKernelPaths``.
  var hasUserPaths: Bool { attribution.groups.contains { $0.userChain != CallChains.none } }
  /// Whether the trace tells thread groups.
  var hasProcesses: Bool {
    attribution.groups.contains { $0.task > 0 && names.group($0.task) != nil }
  }

  /// All groups, the one with the most interrupts first, then by shootdowns and by name.
  func groups(by grouping: CulpritGrouping) -> [Group] { known[grouping] ?? [] }

  /// The functions of a group's path, the innermost first.
  func functions(_ group: Group) -> [String] { paths.functions(group.path) }

  /// Whether a function is on a group's path.
  func has(_ function: String, _ group: Group) -> Bool { paths.has(function, group.path) }

  private func made(by grouping: CulpritGrouping) -> [Group] {
    var found: [Group] = []
    var places: [UInt64: Int] = [:]
    // By group and cause, since most groups have one cause only.
    var weights: [CauseKey: Int] = [:]
    for (index, group) in attribution.groups.enumerated() where grouping != .cpu {
      let (key, name) = key(index, group, grouping)
      let place = places[key] ?? found.count
      if place == found.count {
        places[key] = place
        found.append(Group(name: name(), sums: ShootdownSums()))
        describe(&found[place], index, group, grouping)
      }
      found[place].sums.add(group.sums)
      weights[CauseKey(place: place, cause: group.cause), default: 0] +=
        group.sums.interrupts << 10 + group.sums.shootdowns
    }
    var heaviest = Array(repeating: -1, count: found.count)
    for cause in FlushCause.allCases {
      for place in found.indices {
        let weight = weights[CauseKey(place: place, cause: cause)] ?? -1
        guard weight > heaviest[place] else { continue }
        heaviest[place] = weight
        found[place].cause = cause
      }
    }
    if grouping == .cpu {
      for (cpu, sums) in attribution.bySender.enumerated() where sums != ShootdownSums() {
        found.append(Group(name: "CPU\(cpu)", sums: sums))
      }
    }
    return found.sorted { Self.isBefore($0, $1) }
  }

  private struct CauseKey: Hashable {
    var place: Int
    var cause: FlushCause
  }

  private static func isBefore(_ a: Group, _ b: Group) -> Bool {
    if a.sums.interrupts != b.sums.interrupts { return a.sums.interrupts > b.sums.interrupts }
    if a.sums.shootdowns != b.sums.shootdowns { return a.sums.shootdowns > b.sums.shootdowns }
    if a.task != b.task { return (a.task ?? 0) < (b.task ?? 0) }
    if a.name != b.name { return a.name < b.name }
    return a.path < b.path
  }

  private func key(
    _ index: Int, _ group: ShootdownAttribution.Group, _ grouping: CulpritGrouping
  ) -> (UInt64, () -> String) {
    switch grouping {
    case .cause: return (UInt64(group.cause.rawValue), { group.cause.label })
    case .task: return (UInt64(UInt32(bitPattern: group.task)), { label(group.task) })
    case .process:
      guard let process = names.group(group.task) else { return (.max, { "unknown" }) }
      return (UInt64(UInt32(bitPattern: process)), { label(process) })
    case .comm:
      let name = names.comm(group.task)
      return (UInt64(bitPattern: Int64(truncatingIfNeeded: commNumber(name))), { name })
    case .kernelPath:
      return (UInt64(kernelPaths[index]), { kernelPaths[index] == 0 ? "no call chain" : "" })
    case .userPath:
      return (UInt64(userPaths[index]), { userPaths[index] == 0 ? "no user call chain" : "" })
    case .cpu: return (0, { "" })
    }
  }

  // A name's own bytes, mixed: 64 bits do not collide for the few thousand names that there are.
  private func commNumber(_ name: String) -> UInt64 {
    name.utf8.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
  }

  private func label(_ task: Int32) -> String {
    if task == EventBatch.unknownTask { return "unknown" }
    return "\(names.comm(task))-\(task)"
  }

  private func describe(
    _ made: inout Group, _ index: Int, _ group: ShootdownAttribution.Group,
    _ grouping: CulpritGrouping
  ) {
    switch grouping {
    case .task:
      made.task = group.task
      made.process = names.group(group.task)
    case .process: made.process = names.group(group.task)
    case .kernelPath: made.path = kernelPaths[index]
    case .userPath: made.path = userPaths[index]
    case .cause, .comm, .cpu: break
    }
  }

  // MARK: Folded stacks

  /// What tells one stack from another.
  private struct StackKey: Hashable {
    var comm: String
    var user: UInt32
    var kernel: UInt32
    /// In the place of kernel functions, where there are none.
    var cause: FlushCause
  }

  /// Distinct stacks by weight in interrupts, the heaviest first, then in the order of the trace.
  private func weights() -> [(key: StackKey, weight: Int)] {
    var found: [(key: StackKey, weight: Int)] = []
    var places: [StackKey: Int] = [:]
    for (index, group) in attribution.groups.enumerated() where group.sums.interrupts > 0 {
      let key = StackKey(
        comm: names.comm(group.task), user: userPaths[index], kernel: kernelPaths[index],
        cause: kernelPaths[index] == 0 ? group.cause : .unknown)
      let place = places[key] ?? found.count
      if place == found.count {
        places[key] = place
        found.append((key, 0))
      }
      found[place].weight += group.sums.interrupts
    }
    let order = found.indices.sorted { (found[$1].weight, $0) < (found[$0].weight, $1) }
    return order.map { found[$0] }
  }

  /// The task's name, user functions and kernel functions from the outermost on, those of the
  /// kernel with `_[k]` behind them.
  private func frames(_ key: StackKey) -> [String] {
    var frames = [Self.plain(key.comm)]
    frames += paths.functions(key.user).reversed().map(Self.plain)
    frames += paths.functions(key.kernel).reversed().map { Self.plain($0) + "_[k]" }
    if key.kernel == CallChains.none { frames.append("[\(key.cause.label)]") }
    return frames
  }

  private static let noSender = "[sender not in the trace]"

  /// The heaviest stacks, and all others as one.
  func stacks(max count: Int) -> [(frames: [String], weight: Int)] {
    let weights = weights()
    var found = weights.prefix(count).map { (frames: frames($0.key), weight: $0.weight) }
    let rest = weights.dropFirst(count).reduce(0) { $0 + $1.weight }
    if rest > 0 { found.append((["[lighter stacks]"], rest)) }
    if attribution.unattributed > 0 { found.append(([Self.noSender], attribution.unattributed)) }
    return found
  }

  /// All stacks in the form that flamegraph.pl and others read: frames with semicolons, a blank,
  /// the weight.
  func folded() -> String {
    var text = ""
    for stack in weights() {
      text += frames(stack.key).joined(separator: ";") + " \(stack.weight)\n"
    }
    if attribution.unattributed > 0 { text += "\(Self.noSender) \(attribution.unattributed)\n" }
    return text
  }

  private static func plain(_ name: String) -> String {
    name.contains(";") ? String(name.map { $0 == ";" ? ":" : $0 }) : name
  }
}
