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

  /// The number of a call chain, the innermost frame first.
  public func chain(of frames: [UInt64]) -> UInt64 { UInt64(callChains.add(frames)) }

  /// Notes the name of a thread; the latest one wins, as in the kernel's own cache.
  public func name(task: Int32, _ name: String) {
    if taskNames.count >= Self.stringsMax, taskNames[task] == nil { return }
    taskNames[task] = intern(name)
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
