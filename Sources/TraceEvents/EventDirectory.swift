/// The full name of an event.
public struct EventName: Hashable, Sendable {
  /// The subsystem (`tlb`), nil where neither trace nor tool knows it.
  public let system: String?
  /// The event's name (`tlb_flush`).
  public let name: String

  /// `system:name`, or the bare name.
  public init(system: String?, name: String) {
    self.system = system
    self.name = name
  }

  /// `tlb:tlb_flush`, or the bare name where the system is unknown.
  public var full: String { system.map { "\($0):\(name)" } ?? name }
}

/// The names and strings of one open trace: what the numbers in ``EventBatch`` columns stand for.
///
/// Shared by a reader, which adds to it, and by those who print. Indices are stable: an event keeps
/// its index for the life of the directory, and known events have the index of their ``EventKind``.
public final class EventDirectory {
  /// Distinct event names beyond the known ones; a trace that invents more is damaged or hostile.
  public static let unknownNamesMax = 16_384
  /// Distinct strings kept; later ones read as ``overflowString``.
  public static let stringsMax = 262_144
  /// Changes of name kept of one thread; a trace with more keeps the first ones.
  public static let namesOfTaskMax = 1024
  /// Stands for every string that came after the table was full, and for unreadable ones.
  public static let overflowString: UInt64 = 0

  /// Names by event index.
  public private(set) var names: [EventName]
  /// Call chains, where ``ReadRequest/readsCallChains`` asked for them.
  public private(set) var callChains = CallChains()
  private var indices: [EventName: UInt16]
  private var bareIndices: [String: UInt16]
  private var strings: [String] = ["?"]
  private var stringIndices: [String: UInt64] = ["?": 0]
  private var taskNames: [Int32: UInt64] = [:]
  /// By thread, from when on it was told to have each name, ascending: one for most.
  private var taskHistories: [Int32: [(time: UInt64, name: UInt64)]] = [:]
  private var namesTold = 0
  /// Who made a thread, and when.
  private var origins: [Int32: (parent: Int32, time: UInt64)] = [:]
  private var taskGroups: [Int32: Int32] = [:]

  /// A directory of the known events and nothing else.
  public init() {
    names = Tracepoint.all.map { EventName(system: $0.system, name: $0.name) }
    indices = [:]
    bareIndices = [:]
    for (index, tracepoint) in Tracepoint.all.enumerated() {
      for name in [tracepoint.name] + tracepoint.formerNames {
        indices[EventName(system: tracepoint.system, name: name)] = UInt16(index)
        // `sys_enter` and friends are spelled without their system in most dialects.
        if bareIndices[name] == nil { bareIndices[name] = UInt16(index) }
      }
    }
  }

  /// The index of an event; adds it if it is new. A bare name that the tool knows finds its system.
  ///
  /// - Returns: nil when ``unknownNamesMax`` other names came before.
  public func index(system: String?, name: String) -> UInt16? {
    if let system {
      if let known = indices[EventName(system: system, name: name)] { return known }
    } else if let known = bareIndices[name] {
      return known
    }
    let full = EventName(system: system ?? KnownSystems.system(of: name), name: name)
    if let known = indices[full] {
      if system == nil { bareIndices[name] = known }
      return known
    }
    guard names.count < Int(EventKind.knownCount) + Self.unknownNamesMax else { return nil }
    let index = UInt16(names.count)
    names.append(full)
    indices[full] = index
    if system == nil { bareIndices[name] = index }
    return index
  }

  /// The index of a string, for a payload word of form ``FieldForm/text``.
  public func intern(_ string: String) -> UInt64 {
    if let known = stringIndices[string] { return known }
    guard strings.count < Self.stringsMax else { return Self.overflowString }
    let index = UInt64(strings.count)
    strings.append(string)
    stringIndices[string] = index
    return index
  }

  /// The string that a payload word of form ``FieldForm/text`` stands for.
  public func string(_ word: UInt64) -> String {
    word < UInt64(strings.count) ? strings[Int(word)] : strings[0]
  }

  /// Every string so far, in the order of the words that stand for them.
  public var allStrings: [String] { strings }
  /// How many strings there are so far.
  public var stringCount: Int { strings.count }
  /// Threads of which a name is known, ascending.
  public var namedTasks: [Int32] { taskNames.keys.sorted() }

  /// The number of a call chain, the innermost frame first.
  public func chain(of frames: [UInt64]) -> UInt64 { UInt64(callChains.add(frames)) }

  /// Notes the name that a thread has at `time`; the latest one told wins, as in the kernel's own cache.
  public func name(task: Int32, _ name: String, at time: UInt64 = 0) {
    if taskNames.count >= Self.stringsMax, taskNames[task] == nil { return }
    let index = intern(name)
    taskNames[task] = index
    guard namesTold < Self.stringsMax else { return }
    if taskHistories[task] == nil {
      taskHistories[task] = [(time, index)]
      namesTold += 1
    } else {
      rename(task, to: index, time)
    }
  }

  private func rename(_ task: Int32, to name: UInt64, _ time: UInt64) {
    guard let names = taskHistories[task], names.count < Self.namesOfTaskMax else { return }
    let place = names.firstIndex { $0.time > time } ?? names.count
    guard place == 0 || names[place - 1].name != name else { return }
    taskHistories[task]?.insert((time, name), at: place)
    namesTold += 1
  }

  /// Notes that `parent` made a thread, which is called as its parent until it is told otherwise.
  public func fork(task: Int32, of parent: Int32, at time: UInt64) {
    guard origins.count < Self.stringsMax || origins[task] != nil else { return }
    origins[task] = (parent, time)
    let isNamedSince = taskHistories[task]?.last.map { $0.time >= time } ?? false
    if !isNamedSince, let name = taskNames[parent] { taskNames[task] = name }
  }

  /// The name of a thread at `time`, as far as the trace tells when it changed.
  public func taskName(_ task: Int32, at time: UInt64) -> String? {
    var (task, time) = (task, time)
    // As many generations as any real machine forks within a trace; a damaged file may have rings.
    for _ in 0..<64 {
      let told = taskHistories[task]?.last { $0.time <= time }
      guard let origin = origins[task], origin.time <= time,
        told.map({ $0.time < origin.time }) ?? true
      else {
        return told.map { string($0.name) } ?? taskHistories[task]?.first.map { string($0.name) }
          ?? taskName(task)
      }
      (task, time) = (origin.parent, origin.time)
    }
    return taskName(task)
  }

  /// When a thread may have changed its name, ascending.
  public func nameTimes(of task: Int32) -> [UInt64] {
    let told = taskHistories[task]?.map(\.time) ?? []
    guard let origin = origins[task] else { return told }
    return (told + [origin.time]).sorted()
  }

  /// Whether a thread has had more than one name, as far as the trace may tell.
  public func isRenamed(_ task: Int32) -> Bool {
    origins[task] != nil || (taskHistories[task]?.count ?? 0) > 1
  }

  /// The name of a thread where the trace tells it.
  public func taskName(_ task: Int32) -> String? { taskNames[task].map { string($0) } }

  /// Notes the thread group (process) of a thread.
  public func group(task: Int32, _ group: Int32) {
    if taskGroups.count >= Self.stringsMax, taskGroups[task] == nil { return }
    taskGroups[task] = group
  }

  /// The thread group (process) of a thread where the trace tells it.
  public func taskGroup(_ task: Int32) -> Int32? { taskGroups[task] }
}
