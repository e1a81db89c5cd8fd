/// What a user wants to see of a trace: each part is a condition, and all must hold.
public struct FilterRequest: Sendable, Equatable {
  /// CPUs that recorded the event; nil all.
  public var cpus: CPUList?
  /// When; nil always.
  public var time: TimeSelection?
  /// Processes (thread groups) whose threads ran; empty all. A thread of which the trace does not tell
  /// the group is its own process.
  public var processes: [Int32] = []
  /// Threads that ran; empty all.
  public var threads: [Int32] = []
  /// Names of threads that ran; empty all.
  public var names: [NamePattern] = []
  /// Events; empty all.
  public var events: [EventPattern] = []

  /// Everything.
  public init() {}

  /// Whether nothing is left out.
  public var isEmpty: Bool { self == FilterRequest() }

  /// Whether it asks who ran.
  public var asksForTasks: Bool { !(processes.isEmpty && threads.isEmpty && names.isEmpty) }

  /// Whether one of these events is wanted.
  public func wants(_ event: EventName) -> Bool {
    let wanted = events.filter { !$0.isExclusion }
    return (wanted.isEmpty || wanted.contains { $0.matches(event) })
      && !events.contains { $0.isExclusion && $0.matches(event) }
  }

  /// Whether a thread is wanted at `time`, by what `directory` says of it.
  public func wants(task: Int32, at time: UInt64, _ directory: EventDirectory) -> Bool {
    guard task != EventBatch.unknownTask else { return !asksForTasks }
    if !processes.isEmpty, !processes.contains(directory.taskGroup(task) ?? task) { return false }
    if !threads.isEmpty, !threads.contains(task) { return false }
    if names.isEmpty { return true }
    return Self.spellings(of: task, at: time, directory).contains { name in
      names.contains { $0.matches(name) }
    }
  }

  /// What a thread may be called. Idle tasks are `<idle>` to ftrace and `swapper` to perf, and a
  /// thread without a name is `<...>` to ftrace and `:N` to perf.
  private static func spellings(
    of task: Int32, at time: UInt64, _ directory: EventDirectory
  ) -> [String] {
    if task == 0 { return ["<idle>", "swapper"] }
    return directory.taskName(task, at: time).map { [$0] } ?? ["<...>", ":\(task)"]
  }

  /// The one name by which a thread is listed.
  public static func name(
    of task: Int32, at time: UInt64, _ directory: EventDirectory
  ) -> String {
    spellings(of: task, at: time, directory)[0]
  }
}
