/// Finds the shootdown that a receiver's flush event belongs to where no event names it.
///
/// A shootdown is open from the initiator's announcement until the initiator goes on, because it
/// waits for every receiver (Linux 6.12 `kernel/smp.c` `smp_call_function_many_cond`). A receiver
/// works its queue in the order of the requests, so of several that would do it answers the oldest.
///
/// Invariant: at most one open shootdown a CPU.
struct WaitWindowMatcher {
  struct Wait {
    var number: UInt32
    var initiator: Int
    var start: UInt64
    /// Requested pages, -1 all.
    var pages: Int64
    /// Whether the initiator was unmapping: then the flush has no mm and no generation.
    var isBatch: Bool
    /// CPUs taken for its receivers so far.
    var answered = CPUMask()
    /// CPUs that an ipi event names as interrupted for it.
    var announced = CPUMask()
  }

  struct Match: Equatable {
    var number: UInt32
    /// Whether others were open that would do as well.
    var isAmbiguous: Bool
  }

  private(set) var waits: [Wait] = []
  /// When each CPU last wrote a flush event: then it was up to date for the mm that it runs.
  private var flushed: [UInt64]

  private var isOpen: [Bool]

  init(cpuCount: Int) {
    flushed = Array(repeating: 0, count: cpuCount)
    isOpen = Array(repeating: false, count: cpuCount)
  }

  var isIdle: Bool { waits.isEmpty }

  /// Whether a shootdown of CPU `cpu` is open.
  func isWaiting(_ cpu: Int) -> Bool { isOpen[cpu] }

  /// An initiator announced a shootdown.
  mutating func begin(_ wait: Wait) {
    end(on: wait.initiator)
    waits.append(wait)
    isOpen[wait.initiator] = true
  }

  /// An initiator went on.
  mutating func end(on initiator: Int) {
    guard isOpen[initiator] else { return }
    isOpen[initiator] = false
    for index in waits.indices where waits[index].initiator == initiator {
      waits.remove(at: index)
      return
    }
  }

  /// An ipi event names a CPU that was interrupted for the open shootdown of `initiator`.
  mutating func announce(_ cpu: Int, by initiator: Int) {
    guard let index = waits.firstIndex(where: { $0.initiator == initiator }) else { return }
    waits[index].announced.insert(cpu)
  }

  /// CPU `cpu` flushed at `time`, for whatever reason.
  mutating func flush(on cpu: Int, at time: UInt64) { flushed[cpu] = time }

  /// The shootdown that CPU `receiver` answers with a flush of `pages`; nil if none is open.
  mutating func match(_ receiver: Int, pages: Int64) -> Match? {
    var best: Int?
    var bestRank = -1
    var equals = 0
    for index in waits.indices {
      let rank = rank(index, receiver, pages)
      guard rank >= 0 else { continue }
      if rank > bestRank {
        best = index
        bestRank = rank
        equals = 1
      } else if rank == bestRank {
        equals += 1
      }
    }
    guard let best else { return nil }
    waits[best].answered.insert(receiver)
    return Match(number: waits[best].number, isAmbiguous: equals > 1)
  }

  /// How much speaks for a shootdown, -1 where it cannot be.
  ///
  /// From Linux 6.12 `arch/x86/mm/tlb.c` `flush_tlb_func`: a receiver that is up to date for the
  /// request's generation leaves without an event, which a batch, having none, never does; without
  /// pages it flushes nothing because it is ahead, which only a batch can find; a number of pages is
  /// the requested one.
  private func rank(_ index: Int, _ receiver: Int, _ pages: Int64) -> Int {
    let isAsked =
      waits[index].initiator != receiver && !waits[index].answered.contains(receiver)
    guard isAsked else { return -1 }
    let isBatch = waits[index].isBatch
    let fits =
      switch pages {
      case ..<0: true
      case 0: isBatch
      default: waits[index].pages == pages && !isBatch
      }
    let isBehind = isBatch || waits[index].start > flushed[receiver]
    let isAnnounced = waits[index].announced.contains(receiver)
    return (fits ? 4 : 0) + (isBehind ? 2 : 0) + (isAnnounced ? 1 : 0)
  }
}

/// How the wait window compares with `csd` events, receiver's event by receiver's event.
public struct WaitWindowCounts: Sendable, Equatable {
  /// Same shootdown; where exactly one could be meant, and where the oldest of several was taken.
  public internal(set) var agreed = 0
  /// See ``agreed``.
  public internal(set) var agreedAmbiguous = 0
  /// Another shootdown, likewise.
  public internal(set) var disagreed = 0
  /// See ``disagreed``.
  public internal(set) var disagreedAmbiguous = 0
  /// No shootdown open, though `csd` events name one.
  public internal(set) var missed = 0
  /// Receivers that `csd` events name and that wrote no flush event: no window can show them.
  public internal(set) var silentReceivers = 0
  /// Receivers that an ipi event names, where `csd` events are missing.
  public internal(set) var receiversAnnounced = 0

  /// Receivers' events compared.
  public var compared: Int {
    agreed + agreedAmbiguous + disagreed + disagreedAmbiguous + missed
  }

  mutating func note(_ match: WaitWindowMatcher.Match?, exact: UInt32) {
    guard let match else {
      missed += 1
      return
    }
    switch (match.number == exact, match.isAmbiguous) {
    case (true, false): agreed += 1
    case (true, true): agreedAmbiguous += 1
    case (false, false): disagreed += 1
    case (false, true): disagreedAmbiguous += 1
    }
  }
}
