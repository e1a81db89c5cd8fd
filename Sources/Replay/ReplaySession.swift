public import TraceEvents

/// Replays the events of one buffer instance under several flush policies in one pass.
///
/// Feed it every batch of the instance in time order, then call ``finish()``. State (who runs where,
/// which frames are free) is followed from the first event on, the window limits what is counted.
public struct ReplaySession: ~Copyable {
  private var reconstruction: Reconstruction
  private struct Entry {
    var blueprint: PolicyBlueprint
    /// The cases, and behind them the policy's floor if it has one.
    var replays: [any PolicyReplay]
    var cases: Int
    /// The case that has not parted yet from the one that is shown: it does not run.
    var joined: (replay: Int, shown: Int)?

    /// The case of an assumption; nil where it makes no difference.
    func place(of assumption: ReplayAssumption) -> Int? {
      replays[..<cases].firstIndex { $0.assumption == assumption }
    }

    /// From here on the joined case goes by itself.
    mutating func part(_ context: ReplayContext) {
      guard let joined else { return }
      let parted = replays[joined.shown].parted(as: .allPossible, context)
      replays[joined.replay] = parted
      self.joined = nil
    }
  }
  /// Replays that must be told of the same kinds of moment.
  private struct Audience {
    var kinds: MomentKindSet
    var members: [(entry: Int, replay: Int)] = []
  }
  private var entries: [Entry] = []
  private var audiences: [Audience] = []
  private var seen = SeenEvents()
  private let observer: (any ReplayObserver)?

  /// A session; `policies` by name, `recorded` is always there.
  public init(
    _ context: ReplayContext, policies: [String] = [LazyFlushRules.v10.name]
  ) throws(ReplayError) {
    var wanted: [PolicyBlueprint] = []
    for name in policies where name != PolicyCatalog.recordedName {
      guard let found = PolicyCatalog.blueprint(named: name) else { throw .unknownPolicy(name) }
      if !wanted.contains(where: { $0.name == found.name }) { wanted.append(found) }
    }
    self.init(context, blueprints: wanted)
  }

  /// A session of policies that need not stand in the catalogue; `observer` is told of them by their
  /// place among the blueprints.
  public init(
    _ context: ReplayContext, blueprints: [PolicyBlueprint], observer: (any ReplayObserver)? = nil
  ) {
    self.observer = observer
    var context = context
    context.isObserved = observer != nil
    entries = blueprints.map { blueprint in
      var replays = blueprint.replays(context)
      let cases = replays.count
      if let floor = blueprint.floor, !floor.isPolicyItself {
        replays.append(floor.replay(context))
      }
      var entry = Entry(blueprint: blueprint, replays: replays, cases: cases)
      if blueprint.partsOn != nil, context.joinsCases,
        let shown = entry.place(of: .expected), let replay = entry.place(of: .allPossible)
      {
        entry.joined = (replay, shown)
      }
      return entry
    }
    var told = MomentKindSet.always
    var chances = MomentKindSet.none
    for replay in entries.flatMap(\.replays) {
      told = told.union(replay.kinds)
      chances = chances.union(replay.chances)
    }
    told = told.union(chances)
    if observer != nil { told = told.union(MomentKindSet([.shootdown, .mmShootdown])) }
    reconstruction = Reconstruction(context, telling: told)
    if !chances.isEmpty { reconstruction.ready.cpuCount = context.cpuCount }
    for entry in entries.indices {
      for replay in entries[entry].replays.indices {
        let kinds = entries[entry].replays[replay].kinds
        let found = audiences.firstIndex { $0.kinds == kinds }
        if found == nil { audiences.append(Audience(kinds: kinds)) }
        audiences[found ?? audiences.count - 1].members.append((entry, replay))
      }
    }
  }

  init(_ context: ReplayContext, rules: [LazyFlushRules]) {
    self.init(context, blueprints: rules.map(\.blueprint))
  }

  /// From now on finds out who causes shootdowns and who suffers, for ``Outcome/attribution``.
  ///
  /// - Parameters:
  ///   - method: what the TLB row is derived from (``DerivedTLBRow``), by which victims are counted.
  ///   - paths: what tells causes from call chains; nil where rows of stacks do not carry them
  ///     (`ReadRequest.readsCallChains`).
  public mutating func attribute(by method: DerivedTLBRow.Method, paths: CallPathCauses? = nil) {
    reconstruction.initiators = InitiatorAccounts(cpuCount: reconstruction.cpus.count, paths)
    reconstruction.victims = VictimAccounts(
      cpuCount: reconstruction.cpus.count, by: method, reconstruction.context)
  }

  /// Replays a batch.
  public mutating func consume(_ batch: borrowing EventBatch, directory: EventDirectory) {
    seen.note(batch)
    reconstruction.consume(batch, directory)
    advance()
  }

  /// Closes the books and says what happened.
  public consuming func finish() throws(ReplayError) -> Outcome {
    reconstruction.close()
    advance(isLast: true)
    reconstruction.counts.framesUntracked = reconstruction.frames.untracked
    reconstruction.counts.tasksUntracked = reconstruction.tasks.untracked
    var policies = [recorded()]
    for index in entries.indices {
      var cases: [CaseFigures] = []
      entries[index].part(reconstruction.context)
      for position in entries[index].replays.indices {
        entries[index].replays[position].finish(reconstruction)
        let ledger = entries[index].replays[position].books.ledger
        guard ledger.isBalanced else {
          throw .booksDoNotBalance(policy: entries[index].blueprint.name, ledger: ledger)
        }
        if position < entries[index].cases {
          cases.append(figures(entries[index].replays[position]))
        }
      }
      policies.append(outcome(entries[index], cases, recorded: policies[0]))
    }
    if let observer {
      tellDecisions(observer)
      observer.reached(.max)
    }
    var outcome = Outcome(policies: policies, reconstruction: reconstruction.counts)
    if let initiators = reconstruction.initiators, let victims = reconstruction.victims {
      outcome.attribution = ShootdownAttribution(
        initiators, victims, reconstruction.tasks, row: recordedRow())
    }
    return outcome
  }

  private mutating func advance(isLast: Bool = false) {
    let ready = reconstruction.readyCount
    guard ready >= reconstruction.context.momentsAtOnce || (isLast && ready > 0) else { return }
    reconstruction.prepare(ready)
    for entry in entries.indices {
      if entries[entry].blueprint.partsOn?.isDisjoint(with: reconstruction.doubts) == false {
        entries[entry].part(reconstruction.context)
      }
    }
    var next = 0
    while next < ready {
      let end = min(next + ReadyMoments.span, ready)
      replay(next..<end)
      if let observer { tell(observer, next..<end) }
      next = end
    }
    reconstruction.drop(ready)
  }

  private mutating func replay(_ range: Range<Int>) {
    for audience in audiences {
      var visits: [Visits?] = FrameVisits.allCases.map { _ in nil }
      for member in audience.members {
        if entries[member.entry].joined?.replay == member.replay { continue }
        let frames = entries[member.entry].replays[member.replay].frameVisits
        let moments =
          visits[frames.rawValue] ?? reconstruction.ready.visits(audience.kinds, in: range, frames)
        visits[frames.rawValue] = moments
        entries[member.entry].replays[member.replay].replay(reconstruction, moments)
      }
    }
  }

  private mutating func tell(_ observer: any ReplayObserver, _ range: Range<Int>) {
    for position in range {
      let moment = reconstruction.moments[position]
      guard moment.kind == .shootdown || moment.kind == .mmShootdown else { continue }
      let slot = Int(moment.subject &- reconstruction.shootdownsBase)
      let task = reconstruction.tasks.id(of: reconstruction.shootdowns[slot].taskIndex)
      observer.recorded(ObservedShootdown(reconstruction.shootdowns[slot], task: task))
    }
    tellDecisions(observer)
    if let last = range.last { observer.reached(reconstruction.moments[last].time) }
  }

  private mutating func tellDecisions(_ observer: any ReplayObserver) {
    for entry in entries.indices {
      for replay in entries[entry].replays.indices {
        for decision in entries[entry].replays[replay].takeDecisions() {
          observer.decided(decision, policy: entry)
        }
      }
    }
  }

  private var isCSDTraced: Bool {
    reconstruction.areRunsTraced || reconstruction.areRequestsTraced
  }

  private borrowing func recordedRow() -> [Int] {
    let tally = reconstruction.tally
    if reconstruction.areRunsTraced { return tally.interrupts }
    if reconstruction.areRequestsTraced { return tally.requests }
    return tally.interrupts.indices.map { tally.flushes[1][$0] + tally.flushes[5][$0] }
  }

  private borrowing func recorded() -> PolicyOutcome {
    let isExact = isCSDTraced
    let figures = CaseFigures(
      assumption: nil, tlbRow: recordedRow(), tlbFlush: reconstruction.tally.flushes,
      anotherRun: nil, ledger: Ledger(), pending: PendingFrames(), ages: DeferralAges(),
      bursts: FlushBursts(), payers: [], safety: nil, timeline: reconstruction.tally.timeline,
      senders: reconstruction.senders)
    let total = figures.tlbRowTotal
    var notes: [String] = []
    if !isExact {
      notes.append(
        "no csd_function_entry of flush_tlb_func: the row is tlb_flush reasons 1 and 5, a lower "
          + "bound, because some receivers return without an event (record csd:csd_queue_cpu and "
          + "csd:csd_function_entry)")
    }
    return PolicyOutcome(
      name: PolicyCatalog.recordedName, figures: seen.hasFlushes ? figures : nil, cases: [],
      rowLower: seen.hasFlushes ? total : nil, rowUpper: seen.hasFlushes && isExact ? total : nil,
      runLower: nil, runUpper: nil, ipisAvoided: seen.hasFlushes ? 0 : nil, rowGrade: .derived,
      flushGrade: .measured, notes: seen.hasFlushes ? notes : [SeenEvents.noFlushes])
  }

  private borrowing func figures(_ replay: any PolicyReplay) -> CaseFigures {
    let row = recordedRow()
    let flushes = reconstruction.tally.flushes
    let books = replay.books
    let changed = zip(row, books.changes.interrupts).map { $0 + $1 }
    return CaseFigures(
      assumption: replay.assumption, tlbRow: changed,
      tlbFlush: zip(flushes, books.changes.flushes).map { zip($0, $1).map { $0 + $1 } },
      anotherRun: reconstruction.context.countsEverything
        ? reconstruction.draw.merged(with: books.draw).range(around: changed.reduce(0, +)) : nil,
      ledger: books.ledger, pending: PendingFrames(books.pending),
      ages: DeferralAges(books.ages), bursts: FlushBursts(books.bursts), payers: books.payers,
      safety: replay.safety,
      timeline: books.places.flatMap { reconstruction.tally.timeline?.changed(by: $0.timeline) },
      senders: books.places.flatMap { reconstruction.senders?.changed(by: $0.senders) },
      byCause: books.byCause ?? CauseChanges())
  }

  private borrowing func outcome(
    _ entry: Entry, _ cases: [CaseFigures], recorded: PolicyOutcome
  ) -> PolicyOutcome {
    let missing = seen.missing(for: entry.blueprint)
    let batches = reconstruction.counts.batchShootdowns.reduce(0, +)
    // With nothing to defer the run is the recorded one, whatever else the trace lacks.
    let isRecordedRun = batches == 0 && !entry.blueprint.changesOtherFlushes
    let isObservable = missing.isEmpty || (seen.hasFlushes && isRecordedRun)
    let bounds = bounds(entry, cases)
    let scatter = cases.compactMap { figures in
      figures.anotherRun.map { ($0.upperBound - $0.lowerBound) / 2 }
    }
    let shown = cases.first { $0.assumption == nil || $0.assumption == .expected }
    let expected = isObservable ? shown : nil
    let notes =
      missing + entry.blueprint.limits
      + seen.limits(reconstruction.counts, of: entry.blueprint, isCSDTraced: isCSDTraced)
    return PolicyOutcome(
      name: entry.blueprint.name, figures: expected,
      cases: isObservable && cases.count > 1 ? cases : [],
      rowLower: isObservable ? bounds.lower : nil,
      rowUpper: isObservable && isCSDTraced ? bounds.upper : nil,
      runLower: isObservable
        ? min(bounds.lower, cases.compactMap(\.anotherRun?.lowerBound).min() ?? bounds.lower)
        : nil,
      runUpper: isObservable && isCSDTraced ? bounds.upper + (scatter.max() ?? 0) : nil,
      ipisAvoided: expected.flatMap { figures in
        recorded.figures.map { $0.tlbRowTotal - figures.tlbRowTotal }
      },
      rowGrade: .modelled, flushGrade: .modelled, notes: notes)
  }

  private borrowing func bounds(_ entry: Entry, _ cases: [CaseFigures]) -> RowBounds {
    let recorded = recordedRow().reduce(0, +)
    let showsTriggers = seen.showsTriggers(of: entry.blueprint)
    // The floor says how few interrupts there can be, not on which CPUs or by which tasks.
    var floor: (any PolicyReplay)?
    if let wanted = entry.blueprint.floor, reconstruction.context.countsEverything {
      let place = wanted.isPolicyItself ? entry.place(of: .allPossible) : entry.cases
      floor = place.map { entry.replays[$0] }
    }
    return RowBounds(
      cases.indices.map { (cases[$0].tlbRowTotal, entry.replays[$0].books) },
      floor: showsTriggers
        ? floor.map { recorded + $0.books.changes.interrupts.reduce(0, +) } : nil,
      recorded: recorded, isComplete: showsTriggers && !entry.blueprint.guessesTriggers)
  }
}
