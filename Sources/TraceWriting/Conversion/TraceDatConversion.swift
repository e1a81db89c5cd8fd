public import TraceEvents

/// Writes the rows of a trace as a `trace.dat`.
///
/// Feed it every batch, in any order that keeps each CPU's own, then call ``finish(_:kallsyms:)``.
public struct TraceDatConversion: ~Copyable {
  private var spool: TraceDatSpool
  private var options: TraceDatOptions
  private var translator = RowTranslator()
  /// Losses of events not yet put before a row, by CPU, ascending by time.
  private var pendingLosses: [[LossMark]]
  private var lossesSeen = 0

  /// Begins the trace at `path`.
  public static func create(
    _ path: String, _ options: TraceDatOptions
  ) throws(TraceWriteError) -> TraceDatConversion {
    TraceDatConversion(try TraceDatSpool.create(path, options), options)
  }

  private init(_ spool: consuming TraceDatSpool, _ options: TraceDatOptions) {
    self.spool = spool
    self.options = options
    pendingLosses = Array(repeating: [], count: options.cpus)
  }

  /// Adds the rows of `batch`; `lost` is what the reader knows of losses so far.
  public mutating func append(
    _ batch: borrowing EventBatch, _ directory: EventDirectory, lost: TraceEvents.LostEvents
  ) throws(TraceWriteError) {
    take(lost)
    for index in 0..<batch.count {
      let cpu = batch.cpu(index)
      guard Int(cpu) < options.cpus else {
        translator.skipRowWithoutCPU()
        continue
      }
      var time = batch.timestamp(index)
      let last = spool.lastTime(cpu: Int(cpu))
      if time < last {
        translator.noteMovedUp()
        time = last
      }
      if !pendingLosses[Int(cpu)].isEmpty { try writeLosses(Int(cpu), until: time) }
      try spool.append(translator.row(batch, index, cpu: cpu, time: time, directory))
    }
  }

  /// Writes what is left and closes the file; `kallsyms` is the source's text of that name.
  public consuming func finish(
    _ directory: EventDirectory, kallsyms: String?
  ) throws(TraceWriteError) -> ConversionLosses {
    for cpu in pendingLosses.indices where !pendingLosses[cpu].isEmpty {
      try writeLosses(cpu, until: .max)
    }
    options.formats = translator.formats()
    options.others = translator.others
    options.names = TraceNames(
      tasks: directory.namedTasks.compactMap { task in
        directory.taskName(task).map { (task, Self.line($0)) }
      }, symbols: translator.symbols, texts: directory.allStrings)
    options.names.kallsymsText = kallsyms
    let losses = translator.finalLosses()
    try spool.finish(options)
    return losses
  }

  /// A name that may hold anything, as one line of saved_cmdlines.
  private static func line(_ name: String) -> String {
    String(decoding: name.utf8.map { $0 < 0x20 ? 0x3f : $0 }, as: UTF8.self)
  }

  private mutating func take(_ lost: TraceEvents.LostEvents) {
    for mark in lost.marks[lossesSeen...] where Int(mark.cpu) < options.cpus {
      let cpu = Int(mark.cpu)
      let place = pendingLosses[cpu].firstIndex { $0.time > mark.time } ?? pendingLosses[cpu].count
      pendingLosses[cpu].insert(mark, at: place)
    }
    lossesSeen = lost.marks.count
  }

  private mutating func writeLosses(_ cpu: Int, until time: UInt64) throws(TraceWriteError) {
    var next = 0
    while next < pendingLosses[cpu].count, pendingLosses[cpu][next].time <= time {
      try spool.noteLost(pendingLosses[cpu][next].count, cpu: cpu)
      next += 1
    }
    if next > 0 { pendingLosses[cpu].removeFirst(next) }
  }
}
