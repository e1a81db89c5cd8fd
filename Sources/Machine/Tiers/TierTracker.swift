public import TraceEvents

/// Follows page frames between nodes as a trace records it: which are in use, and which migrations
/// moved pages from where to where.
///
/// Feed it every batch of one buffer instance in time order. Frames are followed from the first event
/// on; only what lies inside the window is counted.
///
/// How a migration is seen (Linux 6.12 `mm/migrate.c`): between `mm_migrate_pages_start` and
/// `mm_migrate_pages` the task allocates a target for each folio and frees each source behind the
/// move; a target that was not needed is freed as well. Compaction takes its targets from the free
/// lists without an event, but always in the zone that it compacts.
public struct TierTracker: ~Copyable {
  /// Flows kept; a machine of more node pairs shows the rest as unplaced.
  static let flowsMax = 256
  /// `MAX_PAGE_ORDER` of x86-64 is 10 (Linux 6.12 `include/linux/mmzone.h`); beyond is damage.
  private static let orderMax: UInt64 = 10

  private struct Level {
    /// In use since the first event, by hindsight; frames seen.
    var usedFirst = 0
    var seen = 0
    /// Gained since the first event, and in the span at hand of the time table.
    var now = 0
    var gained = 0
    var atStart = 0
    var least = 0
    var most = 0
    var allocated = 0
    var freed = 0
    var takenUnseen = 0
  }

  private let map: NodeMap
  private let start: UInt64
  private let end: UInt64
  private var frames: FrameStates
  /// By node, the last for frames of no known one: raw memory, for they change at every event.
  private let levels: UnsafeMutableBufferPointer<Level>
  private var open: OpenMigrations
  private var table: TimeTable
  private var flows: [(source: Int, target: Int, reason: Int64, pages: Int, calls: Int)] = []
  private var totals: [MigrationTotal]
  private var isInside = false
  private var isOver = false
  private var outcome = TierOutcome()
  /// The task whose compaction ended last: it gives back what it took without an event.
  private var compactor = Self.noTask
  /// No thread has this number: Linux 6.12 `include/linux/threads.h` `PID_MAX_LIMIT` is 2^22.
  private static let noTask = Int32.max

  /// A tracker of frames whose nodes `map` tells, that counts from `start` to `end`, both included.
  public init(_ map: NodeMap, from start: UInt64 = 0, to end: UInt64 = .max) {
    self.map = map
    self.start = start
    self.end = end
    frames = FrameStates(map)
    levels = .allocate(capacity: map.nodes.count + 1)
    levels.initialize(repeating: Level())
    rows = .allocate(capacity: EventBatch.capacity)
    weights = .allocate(capacity: Int(EventKind.knownCount) + 1)
    weights.initialize(repeating: 0, count: Int(EventKind.knownCount) + 1)
    for kind in Self.kinds { weights[Int(kind.rawValue)] = 1 }
    open = OpenMigrations(nodes: map.nodes.count)
    table = TimeTable(quantities: map.nodes.count + 1)
    totals = MigrationReason.allCases.map { MigrationTotal(reason: $0) } + [MigrationTotal()]
  }

  deinit {
    levels.deallocate()
    rows.deallocate()
    weights.deallocate()
  }

  /// Rows of the batch at hand that tell something.
  private let rows: UnsafeMutablePointer<UInt16>
  /// By event index, 1 for the kinds that do; the last entry serves all events that nobody knows.
  private let weights: UnsafeMutablePointer<UInt8>
  private static let kinds: [EventKind] = [
    .pageAlloc, .pageFree, .pageFreeBatched, .pagePCPDrain, .pageAllocZoneLocked,
    .setMigrationPTE, .removeMigrationPTE, .migratePagesStart, .migratePages,
  ]

  /// Lists the rows that tell something: each is written, and kept only if its kind counts, so that
  /// there is no branch to mispredict.
  private func listRows(_ batch: borrowing EventBatch) -> Int {
    let last = Int(EventKind.knownCount)
    var count = 0
    for row in 0..<batch.count {
      rows[count] = UInt16(truncatingIfNeeded: row)
      count &+= Int(weights[min(Int(batch.event(row)), last)])
    }
    return count
  }

  /// Follows the rows of a batch.
  public mutating func consume(_ batch: borrowing EventBatch) {
    for index in 0..<listRows(batch) {
      let row = Int(rows[index])
      switch batch.event(row) {
      case EventKind.pageAlloc.rawValue:
        enter(batch.timestamp(row))
        allocated(batch, row)
      case EventKind.pageFree.rawValue:
        enter(batch.timestamp(row))
        freed(batch, row)
      case EventKind.pageFreeBatched.rawValue where !outcome.hasFrees:
        // Each of these follows an `mm_page_free` of the same page, unless that is not recorded.
        enter(batch.timestamp(row))
        freedBatched(batch, row)
      case EventKind.pagePCPDrain.rawValue, EventKind.pageAllocZoneLocked.rawValue:
        seenFree(batch.word(row, PageFree.pfn), batch.word(row, PageFree.order))
      case EventKind.setMigrationPTE.rawValue:
        seenUsed(Self.sourceFrame(batch.word(row, MigrationPTE.pte)), batch.task(row))
      case EventKind.removeMigrationPTE.rawValue:
        enter(batch.timestamp(row))
        mapped(batch, row)
      case EventKind.migratePagesStart.rawValue: migrationStarted(batch, row)
      case EventKind.migratePages.rawValue:
        enter(batch.timestamp(row))
        migrationEnded(batch, row)
      default: continue
      }
    }
  }

  /// Ends the trace and says what was found.
  public consuming func finish() -> TierOutcome {
    if !isInside { beginWindow() }
    outcome.callsCut += open.count
    outcome.framesUntracked = frames.untracked
    outcome.framesAmbiguous = map.framesAmbiguous
    for node in levels.indices where levels[node].gained != 0 {
      table.add(levels[node].gained, to: node, at: 0)
    }
    let sums = table.finished()
    outcome.start = table.start
    outcome.width = table.start == nil ? 0 : table.width
    for index in levels.indices {
      let level = levels[index]
      let node = index < map.nodes.count ? map.nodes[index] : nil
      guard node != nil || level.seen > 0 else { continue }
      var found = NodeResidency(node: node)
      found.framesSeen = level.seen
      found.usedAtStart = level.usedFirst + level.atStart
      found.usedAtEnd = level.usedFirst + (closing?[index] ?? level.now)
      found.usedMin = level.usedFirst + level.least
      found.usedMax = level.usedFirst + level.most
      (found.allocated, found.freed) = (level.allocated, level.freed)
      found.takenUnseen = level.takenUnseen
      found.gains = sums[index]
      outcome.nodes.append(found)
    }
    for (index, flow) in flows.enumerated() {
      outcome.flows.append(
        MigrationFlow(
          source: map.nodes[flow.source], target: map.nodes[flow.target],
          reason: MigrationReason(rawValue: Int(flow.reason)), pages: flow.pages,
          calls: flow.calls, series: sums[map.nodes.count + 1 + index]))
    }
    outcome.flows.sort {
      ($0.source, $0.target, $0.reason?.rawValue ?? .max)
        < ($1.source, $1.target, $1.reason?.rawValue ?? .max)
    }
    outcome.totals = totals.filter { $0.calls > 0 }
    return outcome
  }

  // MARK: The window

  /// Levels when the window ended.
  private var closing: [Int]?

  @inline(__always)
  private mutating func enter(_ time: UInt64) {
    now = time
    if isInside != (time >= start) || isOver != (time > end) { crossEdge(time) }
  }
  private var now: UInt64 = 0

  private mutating func crossEdge(_ time: UInt64) {
    if !isInside, time >= start {
      beginWindow()
      table.advance(to: max(start, start == 0 ? time : start))
    }
    if isInside, !isOver, time > end {
      isOver = true
      closing = levels.map(\.now)
    }
  }

  private mutating func beginWindow() {
    isInside = true
    for index in levels.indices {
      levels[index].atStart = levels[index].now
      (levels[index].least, levels[index].most) = (levels[index].now, levels[index].now)
    }
  }

  private var isCounted: Bool {
    @inline(__always) get { isInside && !isOver }
  }

  // MARK: Frames

  @inline(__always)
  private static func order(_ word: UInt64) -> UInt64? {
    if word <= orderMax { return word }
    return word == EventBatch.absent ? 0 : nil
  }

  /// Changes how many frames of a node are in use.
  @inline(__always)
  private mutating func change(_ node: Int, by amount: Int) {
    levels[node].now &+= amount
    guard isCounted else { return }
    levels[node].least = min(levels[node].least, levels[node].now)
    levels[node].most = max(levels[node].most, levels[node].now)
    if now >= table.end { endSpan() }
    levels[node].gained &+= amount
  }

  /// Books what the nodes gained in the span at hand, and goes to that of the event at hand.
  @inline(never)
  private mutating func endSpan() {
    for node in levels.indices where levels[node].gained != 0 {
      table.add(levels[node].gained, to: node, at: 0)
      levels[node].gained = 0
    }
    table.advance(to: now)
  }

  /// Index of the node of a frame; the last one is for frames of no known node.
  @inline(__always)
  private func nodeIndex(_ frame: UInt64, _ index: Int) -> Int {
    let node = frames.node(frame, index)
    return node >= 0 ? node : levels.count &- 1
  }

  @inline(__always)
  private mutating func allocated(_ batch: borrowing EventBatch, _ row: Int) {
    outcome.hasAllocations = true
    let first = batch.word(row, PageAlloc.pfn)
    // A failed allocation has no frame.
    guard first != 0, first < FrameStates.frameLimit,
      let order = Self.order(batch.word(row, PageAlloc.order))
    else { return }
    let call = open.count > 0 ? open.slot(of: batch.task(row)) : nil
    // `MIGRATE_MOVABLE` is 1: no target is anything else, and an interrupt may take others.
    let isTarget = call != nil && batch.word(row, PageAlloc.migratetype) == 1
    for frame in first..<(first &+ 1 << order) {
      guard let index = frames.index(of: frame) else { continue }
      let node = nodeIndex(frame, index)
      let state = frames[index]
      if state & FrameStates.life == FrameStates.used {
        outcome.contradictions &+= 1
      } else {
        if state & FrameStates.life == FrameStates.unknown { levels[node].seen &+= 1 }
        change(node, by: 1)
      }
      frames[index] = FrameStates.used
      if isCounted { levels[node].allocated &+= 1 }
      if isTarget, let call { target(call, index, node) }
    }
  }

  private mutating func target(_ call: Int, _ index: Int, _ node: Int) {
    open[call].taken.add(1, to: node)
    guard open[call].targets.count < OpenMigration.targetsMax else { return }
    open[call].targets.append(UInt32(truncatingIfNeeded: index))
    frames[index] |= FrameStates.isTarget
  }

  @inline(__always)
  private mutating func freed(_ batch: borrowing EventBatch, _ row: Int) {
    if !outcome.hasFrees {
      outcome.hasFrees = true
      weights[Int(EventKind.pageFreeBatched.rawValue)] = 0
    }
    let first = batch.word(row, PageFree.pfn)
    guard first != 0, first < FrameStates.frameLimit,
      let order = Self.order(batch.word(row, PageFree.order))
    else { return }
    free(first..<(first &+ 1 << order), by: batch.task(row))
  }

  private mutating func freedBatched(_ batch: borrowing EventBatch, _ row: Int) {
    let first = batch.word(row, PageFree.pfn)
    guard first != 0, first < FrameStates.frameLimit else { return }
    free(first..<(first &+ 1), by: batch.task(row))
  }

  @inline(__always)
  private mutating func free(_ block: Range<UInt64>, by task: Int32) {
    let call = open.count > 0 ? open.slot(of: task) : nil
    for frame in block {
      guard let index = frames.index(of: frame) else { continue }
      let node = nodeIndex(frame, index)
      let state = frames[index]
      if isCounted { levels[node].freed &+= 1 }
      switch state & FrameStates.life {
      case FrameStates.free:
        if task != compactor { outcome.contradictions &+= 1 }
        continue
      case FrameStates.unknown:
        levels[node].seen &+= 1
        if task == compactor, call == nil {
          frames[index] = FrameStates.free
          continue
        }
        levels[node].usedFirst &+= 1
      default: break
      }
      change(node, by: -1)
      frames[index] = FrameStates.free
      guard let call else { continue }
      if state & FrameStates.isTarget != 0 {
        open[call].taken.add(-1, to: node)
      } else {
        open[call].freed.add(1, to: node)
      }
    }
  }

  /// A frame goes from one free list to another.
  @inline(__always)
  private mutating func seenFree(_ first: UInt64, _ orderWord: UInt64) {
    guard first != 0, first < FrameStates.frameLimit, let order = Self.order(orderWord) else {
      return
    }
    for frame in first..<(first &+ 1 << order) {
      guard let index = frames.index(of: frame),
        frames[index] & FrameStates.life == FrameStates.unknown
      else { continue }
      levels[nodeIndex(frame, index)].seen &+= 1
      frames[index] = FrameStates.free
    }
  }

  /// A migration entry replaces the mapping of a page that is in use.
  private mutating func seenUsed(_ frame: UInt64, _ task: Int32) {
    guard frame != 0, let index = frames.index(of: frame) else { return }
    let node = nodeIndex(frame, index)
    if let call = open.slot(of: task) { open[call].mappedFrom.add(1, to: node) }
    guard frames[index] & FrameStates.life == FrameStates.unknown else { return }
    levels[node].seen &+= 1
    levels[node].usedFirst &+= 1
    frames[index] = FrameStates.used
  }

  /// The frame that a swap entry of x86-64 names: its offset is inverted and lies in bits 9 to 58
  /// (Linux 6.12 `arch/x86/include/asm/pgtable_64.h`), its frame number in the lower 34 of these.
  static func sourceFrame(_ entry: UInt64) -> UInt64 {
    entry == EventBatch.absent ? 0 : (~entry << 5) >> 14 & (1 << 34 - 1)
  }

  /// A page is mapped again behind its migration: its frame is in use, however it was taken.
  private mutating func mapped(_ batch: borrowing EventBatch, _ row: Int) {
    let entry = batch.word(row, MigrationPTE.pte)
    guard entry != EventBatch.absent, entry & 1 != 0 else { return }
    let frame = entry >> 12 & (1 << 40 - 1)
    guard frame != 0, let index = frames.index(of: frame) else { return }
    let node = nodeIndex(frame, index)
    if let call = open.slot(of: batch.task(row)) { open[call].mappedTo.add(1, to: node) }
    guard frames[index] & FrameStates.life != FrameStates.used else { return }
    if frames[index] & FrameStates.life == FrameStates.unknown { levels[node].seen &+= 1 }
    change(node, by: 1)
    if isCounted { levels[node].takenUnseen &+= 1 }
    frames[index] = FrameStates.used
  }

  // MARK: Migrations

  private mutating func migrationStarted(_ batch: borrowing EventBatch, _ row: Int) {
    outcome.hasMigrationStarts = true
    let task = batch.task(row)
    guard task != EventBatch.unknownTask else { return }
    if let slot = open.slot(of: task) { abandon(slot) }
    if open.count == OpenMigrations.callsMax { abandon(0) }
    open.open(task)
    if task == compactor { compactor = Self.noTask }
  }

  private mutating func abandon(_ slot: Int) {
    outcome.callsCut += 1
    close(slot)
  }

  private mutating func close(_ slot: Int) {
    for target in open[slot].targets { frames[Int(target)] &= ~FrameStates.isTarget }
    open.close(slot)
  }

  private mutating func migrationEnded(_ batch: borrowing EventBatch, _ row: Int) {
    outcome.hasMigrations = true
    let reason = batch.signedWord(row, MigratePages.reason)
    let succeeded = Self.pages(batch.word(row, MigratePages.succeeded))
    let failed = Self.pages(batch.word(row, MigratePages.failed))
    let task = batch.task(row)
    let slot = task == EventBatch.unknownTask ? nil : open.slot(of: task)
    if slot == nil, outcome.hasMigrationStarts { outcome.callsCut += 1 }
    if isCounted {
      let known = reason >= 0 && reason < Int64(totals.count - 1)
      let total = known ? Int(reason) : totals.count - 1
      totals[total].calls &+= 1
      totals[total].succeeded &+= succeeded
      totals[total].failed &+= failed
      let placed = slot.map { place($0, reason, succeeded) } ?? 0
      totals[total].unplaced &+= succeeded - placed
    }
    if let slot { close(slot) }
    if reason == Int64(MigrationReason.compaction.rawValue), task != EventBatch.unknownTask {
      compactor = task
    }
  }

  /// A count of pages; what no machine has is damage and counts as none.
  private static func pages(_ word: UInt64) -> Int { word < 1 << 32 ? Int(word) : 0 }

  /// Books the pages of a call by node; returns how many could be.
  private mutating func place(_ slot: Int, _ reason: Int64, _ pages: Int) -> Int {
    guard pages > 0 else { return 0 }
    let freed = outcome.hasFrees ? open[slot].freed : open[slot].mappedFrom
    let isCompaction = reason == Int64(MigrationReason.compaction.rawValue)
    let taken =
      isCompaction ? freed : outcome.hasAllocations ? open[slot].taken : open[slot].mappedTo
    // One known node on each side says where all of them went.
    if let source = freed.only, let target = taken.only {
      return book(source, target, reason, pages)
    }
    if let target = taken.only, freed.total == pages {
      return freed.touched.reduce(0) { $0 + book($1, target, reason, freed[$1]) }
    }
    if let source = freed.only, taken.total == pages {
      return taken.touched.reduce(0) { $0 + book(source, $1, reason, taken[$1]) }
    }
    return 0
  }

  private mutating func book(
    _ source: Int, _ target: Int, _ reason: Int64, _ pages: Int
  ) -> Int {
    guard pages > 0, source < map.nodes.count, target < map.nodes.count else { return 0 }
    var index = flows.firstIndex {
      $0.source == source && $0.target == target && $0.reason == reason
    }
    if index == nil, flows.count < Self.flowsMax {
      _ = table.addQuantity()
      index = flows.count
      flows.append((source, target, reason, 0, 0))
    }
    guard let index else { return 0 }
    if now >= table.end { endSpan() }
    flows[index].pages &+= pages
    flows[index].calls &+= 1
    table.add(pages, to: map.nodes.count + 1 + index, at: now)
    return pages
  }
}
