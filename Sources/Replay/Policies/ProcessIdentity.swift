/// Which threads are taken for one process: events hold thread ids only.
enum ProcessIdentity: Sendable {
  /// Every thread is a process of its own: never too large a process.
  case thread
  /// Threads of the same name are one process: too large where several processes run one program,
  /// too small where a process names its threads.
  case name

  /// The number of the process whose thread runs at a moment, below `2 * tasks + 2`.
  func process(_ now: Situation) -> Int {
    self == .name && now.nameGroup != 0 ? 2 * now.nameGroup : 2 * now.task + 1
  }

  /// How many numbers there are for so many tasks.
  static func count(tasks: Int) -> Int { 2 * tasks + 2 }
}
