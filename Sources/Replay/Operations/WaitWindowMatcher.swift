/// Finds the shootdown that a receiver's flush event belongs to where no event names it.
///
/// A shootdown is open from the initiator's announcement until the initiator goes on, because it
/// waits for every receiver (Linux 6.12 `kernel/smp.c` `smp_call_function_many_cond`). A receiver
/// works its queue in the order of the requests, so among several open shootdowns it answers the
/// oldest first that asked it.
///
/// Invariant: at most one open shootdown a CPU.
struct WaitWindowMatcher {
  struct Wait {
    var number: UInt32
    var initiator: Int
    /// Requested pages, -1 all.
    var pages: Int64
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

  var isIdle: Bool { waits.isEmpty }

  /// An initiator announced shootdown `number`.
  mutating func begin(_ number: UInt32, on initiator: Int, pages: Int64) {
    end(on: initiator)
    waits.append(Wait(number: number, initiator: initiator, pages: pages))
  }

  /// An initiator went on.
  mutating func end(on initiator: Int) {
    if let index = waits.firstIndex(where: { $0.initiator == initiator }) {
      waits.remove(at: index)
    }
  }

  /// An ipi event names a CPU that was interrupted for the open shootdown of `initiator`.
  mutating func announce(_ cpu: Int, by initiator: Int) {
    guard let index = waits.firstIndex(where: { $0.initiator == initiator }) else { return }
    waits[index].announced.insert(cpu)
  }

  /// The shootdown that CPU `receiver` answers with a flush of `pages`; nil if none is open.
  ///
  /// A receiver flushes the requested pages, or all because it was behind, or none because it was
  /// ahead (Linux 6.12 `arch/x86/mm/tlb.c` `flush_tlb_func`): a positive count that differs from the
  /// requested one speaks against a shootdown, an ipi event speaks for it.
  mutating func match(_ receiver: Int, pages: Int64) -> Match? {
    var best: Int?
    var bestRank = -1
    var equals = 0
    for index in waits.indices {
      let wait = waits[index]
      guard wait.initiator != receiver, !wait.answered.contains(receiver) else { continue }
      let fits = pages <= 0 || wait.pages == pages
      let rank = (wait.announced.contains(receiver) ? 2 : 0) + (fits ? 1 : 0)
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
