/// A policy that runs beside others over the same moments, whatever its kind.
///
/// Dispatch is once for many moments, so it costs nothing an event.
enum PolicyReplay {
  case lazy(LazyFlushReplay)
  case ideal(IdealReplay)
  case batching(BatchingReplay)

  /// Replays the first `count` moments.
  mutating func replay(_ source: borrowing Reconstruction, count: Int) {
    switch consume self {
    case .lazy(var replay):
      replay.replay(source, count: count)
      self = .lazy(replay)
    case .ideal(var replay):
      replay.replay(source, count: count)
      self = .ideal(replay)
    case .batching(var replay):
      replay.replay(source, count: count)
      self = .batching(replay)
    }
  }

  /// Closes the books.
  mutating func finish() {
    switch consume self {
    case .lazy(var replay):
      replay.finish()
      self = .lazy(replay)
    case .ideal(var replay):
      replay.finish()
      self = .ideal(replay)
    case .batching(var replay):
      replay.finish()
      self = .batching(replay)
    }
  }

  /// What it assumes of what the trace does not show; nil where that makes no difference.
  var assumption: ReplayAssumption? {
    switch self {
    case .lazy(let replay): replay.assumption
    case .ideal(let replay): replay.assumption
    case .batching: nil
    }
  }

  /// Its books.
  var books: ReplayBooks {
    switch self {
    case .lazy(let replay): replay.books
    case .ideal(let replay): replay.books
    case .batching(let replay): replay.books
    }
  }
}

extension FlushPolicy {
  /// One replay for each assumption that makes a difference.
  func replays(_ context: ReplayContext) -> [PolicyReplay] {
    switch self {
    case .lazy(let rules):
      ReplayAssumption.allCases.map { .lazy(LazyFlushReplay(rules, $0, context)) }
    case .ideal: ReplayAssumption.allCases.map { .ideal(IdealReplay($0, context)) }
    case .batching(let pagesMax): [.batching(BatchingReplay(pagesMax: pagesMax, context))]
    }
  }
}
