extension LazyFlushRules {
  /// These rules as a policy.
  var blueprint: PolicyBlueprint { unnamed.following(self) }

  private var unnamed: PolicyBlueprint {
    switch domain {
    case .global:
      PolicyBlueprint(
        name: name, limits: limits, triggers: triggers, guessesTriggers: guessesTriggers,
        floor: floor, partsOn: partsOn, asksForDurations: givesUpWhileFlushing
      ) { assumption, _ in
        var rules = self
        if assumption == .allPossibleAtOnce { rules.givesUpWhileFlushing = false }
        return LazyFlushPolicy(rules, assumption)
      }
    case .node, .table:
      PolicyBlueprint(
        name: name, limits: limits, triggers: triggers, guessesTriggers: guessesTriggers,
        floor: floor, partsOn: partsOn
      ) { assumption, context in
        TableUnmapFlush(self, assumption, cpuCount: context.cpuCount)
      }
    }
  }

  private var guessesTriggers: Bool {
    flushesOnMayWriteFault || flushesOnlyWrittenFile || holdsFolios || skipsForAtomicAllocations
  }

  /// See ``DeferralTriggers/takesHeldFrames``: all that such a case does otherwise.
  private var partsOn: ReplayDoubts? {
    guard !holdsFolios else { return nil }
    return skipsForAtomicAllocations ? [.eligibility, .atomicAllocation] : .eligibility
  }

  /// Nothing is known of versions that take another frame in the place of one that owes a flush.
  private var floor: PolicyBlueprint.Floor? {
    guard !holdsFolios, !skipsForAtomicAllocations, !forgetsInBuddy, flushesBeforeReuse else {
      return nil
    }
    return PolicyBlueprint.Floor(
      credit: credit, chances: DeferralTriggers(self, .allPossible).kinds)
  }

  private var triggers: [PolicyBlueprint.Trigger] {
    var triggers: [PolicyBlueprint.Trigger] = []
    if flushesAfterRefill { triggers.append(.refill) }
    if flushesOnWriteProtectFault { triggers.append(.writeProtectFault) }
    if flushesOnWritableMapping { triggers.append(.writableMapping) }
    if flushesOnFileWrite { triggers.append(.fileWrite) }
    if forgetsInBuddy || domain == .table { triggers.append(.drain) }
    if flushesOnMayWriteFault { triggers.append(.userFault) }
    if flushesOnUnmap { triggers.append(.unmapRange) }
    if flushesOnTruncate { triggers.append(.truncate) }
    if pausesUnderPressure { triggers.append(.pressure) }
    return triggers
  }

  private var limits: [String] {
    var notes: [String] = []
    if flushesOnFileWrite, !flushesOnlyWrittenFile {
      notes.append(
        "which writes go to regular files is not visible: every write(2) and pwrite64(2) that ends "
          + "inside the trace counts as one; raced faults, which v11 also looks at, have no event")
    }
    if flushesOnlyWrittenFile {
      notes.append(
        "which file a write goes to is not visible: taken for files without deferred pages, with "
          + "the upper bound for the opposite")
    }
    if flushesOnMayWriteFault {
      notes.append(
        "whether a mapping may be written is known from mmap calls, write faults and promotions in "
          + "the trace; where nothing tells it counts as read-only, in the upper bound as writable")
    }
    if holdsFolios {
      notes.append(
        "folios are held instead of freed: where the recorded run allocated such a frame, memory "
          + "counts as short and the flush is done; the lower bound takes another frame there, which "
          + "may go below luf-ideal; watermark checks, which end deferral too, are seen as kswapd wakeups and "
          + "direct reclaim")
    }
    if skipsForAtomicAllocations {
      notes.append(
        "an allocation that cannot wait skips frames with a flush owed: so in the lower bound; the "
          + "figure shown does their flush, as the recorded run took the frame")
    }
    if domain != .global {
      notes.append(
        "whose mm and which zone a deferred page belonged to is not visible: what ends deferral for "
          + "one ends it for all")
    }
    if !creditsWhileFlushing {
      notes.append(
        "who fails to get the lock is not visible: approximated by batch flushes that start while "
          + "another one runs")
    }
    if forgetsInBuddy {
      notes.append(
        "a frame forgets the flush that it owes when mm_page_pcpu_drain moves it to buddy, where "
          + "its block's order (at most 10) stands for the generation: not safe, shown for what the "
          + "posted text does. Generations start at 1 with the trace, as on a kernel that has just "
          + "switched it on; blocks that were free before are not known")
    }
    return notes
  }
}
