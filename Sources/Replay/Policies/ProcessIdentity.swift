/// Which threads are taken for one process: events hold thread ids, and only `kmem:rss_stat` an mm.
enum ProcessIdentity: Sendable {
  /// Those that are seen in the same mm; every other thread is a process of its own. Never too large.
  case thread
  /// The same, and other threads by their name: too large where several processes run one program,
  /// too small where a process names its threads.
  case name
  /// All threads are one process: never too small.
  case everybody

  /// The number of the process whose thread runs at a moment, below ``count(tasks:)``.
  func process(_ now: Situation) -> Int {
    switch self {
    case .everybody: 0
    case .thread where !now.isProcessProven: 2 * now.task + 1
    case .thread, .name: now.processGroup != 0 ? 2 * now.processGroup : 2 * now.task + 1
    }
  }

  /// How many numbers there are for so many tasks and groups.
  static func count(tasks: Int) -> Int { 2 * tasks + 2 }
}
