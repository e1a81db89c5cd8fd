import Replay

extension TaskClass {
  /// The words for it in a report.
  var label: String {
    switch self {
    case .user: "user threads"
    case .directReclaim: "direct reclaim"
    case .kswapd: "kswapd"
    case .kernelThread: "kernel threads"
    case .idle: "idle CPUs"
    case .unknown: "unknown tasks"
    }
  }

  /// Its name in JSON.
  var name: String {
    switch self {
    case .user: "user"
    case .directReclaim: "direct_reclaim"
    case .kswapd: "kswapd"
    case .kernelThread: "kernel_thread"
    case .idle: "idle"
    case .unknown: "unknown"
    }
  }
}
