public import TraceEvents

/// Writes events by hand, as a reader would: rows of known kinds in time order.
///
/// Each call adds a row one nanosecond after the last; `skip` widens the gap.
public struct BatchScript {
  struct Row {
    var time: UInt64
    var cpu: UInt16
    var kind: EventKind
    var task: Int32
    var words: [UInt64]
  }

  /// Names of the script's threads and functions.
  public let directory = EventDirectory()
  /// Time of the last row.
  public private(set) var now: UInt64 = 1000
  private var rows: [Row] = []
  private var nextCSD: UInt64 = 0xff11_0000_0000_0040

  /// No rows.
  public init() {}

  /// Rows so far.
  public var count: Int { rows.count }

  /// Lets time pass.
  public mutating func skip(_ nanoseconds: UInt64) { now += nanoseconds }

  /// Adds a row; words left out read as absent.
  public mutating func add(_ kind: EventKind, cpu: Int, task: Int32, _ words: [UInt64] = []) {
    now += 1
    var payload = words
    while payload.count < Tracepoint.of(kind).fields.count { payload.append(EventBatch.absent) }
    rows.append(Row(time: now, cpu: UInt16(cpu), kind: kind, task: task, words: payload))
  }

  /// Hands the rows out in batches of `size`.
  public func forEachBatch(
    of size: Int = EventBatch.capacity, _ body: (borrowing EventBatch) throws -> Void
  ) rethrows {
    var batch = EventBatch()
    for row in rows {
      let words = batch.append(
        timestamp: row.time, cpu: row.cpu, event: row.kind.rawValue, task: row.task,
        words: row.words.count)
      for (index, word) in row.words.enumerated() { words[index] = word }
      if batch.isFull || batch.count == size {
        try body(batch)
        batch.removeAll()
      }
    }
    if batch.count > 0 { try body(batch) }
  }

  // MARK: Single events

  /// `tlb:tlb_flush`.
  public mutating func flush(cpu: Int, task: Int32, reason: Int64, pages: Int64 = -1) {
    add(.tlbFlush, cpu: cpu, task: task, [UInt64(bitPattern: reason), UInt64(bitPattern: pages)])
  }

  /// `kmem:mm_page_alloc`.
  public mutating func allocate(cpu: Int, task: Int32, pfn: UInt64, order: UInt64 = 0) {
    // GFP_HIGHUSER_MOVABLE | __GFP_COMP of Linux 6.12.
    add(.pageAlloc, cpu: cpu, task: task, [pfn, order, 0x140cca, 1])
  }

  /// `kmem:mm_page_free`.
  public mutating func free(cpu: Int, task: Int32, pfn: UInt64, order: UInt64 = 0) {
    add(.pageFree, cpu: cpu, task: task, [pfn, order])
  }

  /// `migrate:set_migration_pte` of a page in frame `pfn` with swap type `type`.
  public mutating func setEntry(cpu: Int, task: Int32, pfn: UInt64, type: UInt64) {
    let entry = type << 59 | ((~pfn & (1 << 50 - 1)) << 9)
    add(.setMigrationPTE, cpu: cpu, task: task, [0x7000_0000_0000 + pfn << 12, entry, 0])
  }

  // MARK: Operations

  /// A shootdown with csd events: announced, queued, run on the receivers, and on the initiator if
  /// `localReason` says so.
  public mutating func shootdown(
    cpu: Int, task: Int32, receivers: [(cpu: Int, task: Int32)], localReason: Int64? = nil,
    pages: Int64 = -1, hasCSD: Bool = true
  ) {
    flush(cpu: cpu, task: task, reason: 4, pages: pages)
    let first = nextCSD
    for receiver in receivers {
      if hasCSD {
        add(
          .csdQueueCPU, cpu: cpu, task: task,
          [UInt64(receiver.cpu), 0, FunctionName.flushTLBFunction, nextCSD])
      }
      nextCSD += 64
    }
    if let localReason {
      if hasCSD {
        add(.csdFunctionEntry, cpu: cpu, task: task, [FunctionName.flushTLBFunction, 0])
      }
      flush(cpu: cpu, task: task, reason: localReason, pages: pages)
    }
    for (index, receiver) in receivers.enumerated() {
      if hasCSD {
        add(
          .csdFunctionEntry, cpu: receiver.cpu, task: receiver.task,
          [FunctionName.flushTLBFunction, first + UInt64(index) * 64])
      }
      flush(cpu: receiver.cpu, task: receiver.task, reason: 1, pages: pages)
    }
  }

  /// kswapd takes file pages out of the page cache, flushes their batch and frees them.
  public mutating func reclaim(
    cpu: Int, task: Int32, pfns: [UInt64], receivers: [(cpu: Int, task: Int32)],
    hasCSD: Bool = true
  ) {
    for pfn in pfns { add(.filemapDelete, cpu: cpu, task: task, [pfn, 1, pfn, 0, 0]) }
    shootdown(cpu: cpu, task: task, receivers: receivers, hasCSD: hasCSD)
    for pfn in pfns { free(cpu: cpu, task: task, pfn: pfn) }
    for pfn in pfns { add(.pageFreeBatched, cpu: cpu, task: task, [pfn]) }
  }

  /// An asynchronous migration of pages whose entries have swap type `type`.
  public mutating func migrate(
    cpu: Int, task: Int32, pfns: [UInt64], type: UInt64, receivers: [(cpu: Int, task: Int32)],
    localReason: Int64? = nil
  ) {
    add(.migratePagesStart, cpu: cpu, task: task, [0, 8])
    for pfn in pfns { setEntry(cpu: cpu, task: task, pfn: pfn, type: type) }
    shootdown(cpu: cpu, task: task, receivers: receivers, localReason: localReason)
    for pfn in pfns { free(cpu: cpu, task: task, pfn: pfn) }
    add(.migratePages, cpu: cpu, task: task, [UInt64(pfns.count), 0, 0, 0, 0, 0, 0, 8])
  }
}
