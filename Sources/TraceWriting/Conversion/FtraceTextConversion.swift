public import TraceEvents

/// Writes the rows of a trace as the text of the kernel's `trace` file.
///
/// Feed it every batch in the order of time, then call ``finish()``.
public struct FtraceTextConversion: ~Copyable {
  private var writer: FtraceTextWriter
  private var translator = RowTranslator()
  private let cpus: Int
  private let resolution: UInt64
  private var textsKnown = 0
  private var othersKnown = 0
  private var symbolsKnown = 0
  private var pendingLosses: [[LossMark]]
  private var lossesSeen = 0
  private var lastTime: UInt64 = 0

  /// Begins the text at `path` (`-`: standard output), of `events` rows.
  ///
  /// - Parameters:
  ///   - names: of threads and functions; its texts are not looked at.
  ///   - resolution: of the source's times, in nanoseconds.
  public static func create(
    _ path: String, packing: TextPacking, cpus: Int, events: UInt64, names: TraceNames,
    resolution: UInt64
  ) throws(TraceWriteError) -> FtraceTextConversion {
    var names = names
    names.texts = []
    return FtraceTextConversion(
      try FtraceTextWriter.create(
        sequential: path, packing: packing, cpus: cpus, events: events, names: names), cpus,
      resolution)
  }

  private init(_ writer: consuming FtraceTextWriter, _ cpus: Int, _ resolution: UInt64) {
    self.writer = writer
    self.cpus = cpus
    self.resolution = resolution
    pendingLosses = Array(repeating: [], count: cpus)
  }

  /// Adds the rows of `batch`; `lost` is what the reader knows of losses so far.
  public mutating func append(
    _ batch: borrowing EventBatch, _ directory: EventDirectory, lost: TraceEvents.LostEvents
  ) throws(TraceWriteError) {
    for mark in lost.marks[lossesSeen...] where Int(mark.cpu) < cpus {
      pendingLosses[Int(mark.cpu)].append(mark)
    }
    lossesSeen = lost.marks.count
    if textsKnown < directory.stringCount {
      writer.addTexts(Array(directory.allStrings[textsKnown...]))
      textsKnown = directory.stringCount
    }
    for index in 0..<batch.count {
      let cpu = batch.cpu(index)
      guard Int(cpu) < cpus else {
        translator.skipRowWithoutCPU()
        continue
      }
      var time = batch.timestamp(index)
      if time < lastTime {
        translator.noteMovedUp()
        time = lastTime
      }
      lastTime = time
      if resolution == 1, time % 1000 != 0 { translator.noteRounded() }
      if !pendingLosses[Int(cpu)].isEmpty { try writeLosses(cpu, until: time) }
      let row = translator.row(batch, index, cpu: cpu, time: time, directory)
      learn()
      try writer.append(row)
    }
  }

  /// Writes what is left and closes the text.
  public consuming func finish() throws(TraceWriteError) -> ConversionLosses {
    for cpu in pendingLosses.indices where !pendingLosses[cpu].isEmpty {
      try writeLosses(UInt16(cpu), until: .max)
    }
    var losses = translator.finalLosses()
    // Text leaves a field out where a row has none.
    losses.partialFields = []
    try writer.finish()
    return losses
  }

  /// Tells the writer the names that the last row brought.
  private mutating func learn() {
    if othersKnown < translator.others.count {
      writer.addOthers(translator.others[othersKnown...].map(\.name))
      othersKnown = translator.others.count
    }
    if symbolsKnown < translator.symbols.count {
      writer.addSymbols(Array(translator.symbols[symbolsKnown...]))
      symbolsKnown = translator.symbols.count
    }
  }

  private mutating func writeLosses(_ cpu: UInt16, until time: UInt64) throws(TraceWriteError) {
    var kept: [LossMark] = []
    for mark in pendingLosses[Int(cpu)] {
      if mark.time <= time {
        try writer.noteLost(mark.count, cpu: cpu)
      } else {
        kept.append(mark)
      }
    }
    pendingLosses[Int(cpu)] = kept
  }
}
