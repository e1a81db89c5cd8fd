import Dispatch
import Synchronization

/// Work on many captures at the same time, as many as there are cores.
enum SideBySide {
  /// What `body` makes of each item, in the order of the items.
  static func map<Item: Sendable, Made: Sendable>(
    _ items: [Item], _ body: @Sendable (Item) -> Made
  ) -> [Made] {
    guard items.count > 1 else { return items.map(body) }
    let made = Mutex([Made?](repeating: nil, count: items.count))
    DispatchQueue.concurrentPerform(iterations: items.count) { index in
      let one = body(items[index])
      made.withLock { $0[index] = one }
    }
    return made.withLock { $0.compactMap(\.self) }
  }
}
