#if canImport(Glibc)
  import Glibc
#endif

/// One line on standard error while a trace is read, and only on a terminal.
final class Progress {
  private let isShown: Bool
  private var events = 0
  private var lastShown = timespec()

  /// Progress that stays silent if `isHidden` or standard error is no terminal.
  init(isHidden: Bool) {
    isShown = !isHidden && isatty(STDERR_FILENO) == 1
  }

  /// `count` more events were read.
  func advance(by count: Int) {
    guard isShown else { return }
    events += count
    var now = timespec()
    clock_gettime(CLOCK_MONOTONIC, &now)
    let gap = (now.tv_sec - lastShown.tv_sec) * 1000 + (now.tv_nsec - lastShown.tv_nsec) / 1_000_000
    guard gap >= 200 else { return }
    lastShown = now
    writeError("\r\(events) events ")
  }

  /// Clears the line.
  func finish() {
    guard isShown else { return }
    writeError("\r\u{1b}[K")
  }
}
