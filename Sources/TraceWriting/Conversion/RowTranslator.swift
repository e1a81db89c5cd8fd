import TraceEvents

/// Makes ``TraceRow``s of the rows of a batch: words that stand for names in the source's directory
/// get the meaning that writers give them.
struct RowTranslator {
  private(set) var losses = ConversionLosses()
  /// Events without known fields, in the order in which they came.
  private(set) var others: [BareEvent] = []
  /// Functions that the source names without an address, at addresses made up.
  private(set) var symbols: [KernelSymbol] = []
  private let forms: [[FieldForm]]
  private var otherNumbers: [UInt16: UInt16] = [:]
  private var otherCounts: [UInt64] = []
  private var functionAddresses: [UInt64: UInt64] = [:]
  /// By kind: bits of the words that were absent in a row, and of those that were there.
  private var absent: [UInt8]
  private var present: [UInt8]

  /// Where made-up functions lie: in the kernel's text, which no module or data can be in.
  private static let firstFunction: UInt64 = 0xffff_ffff_8100_0000
  private static let functionSize: UInt64 = 0x1000
  /// More are no kernel's: the text mapping is 1 GiB.
  private static let functionsMax = 65_536

  init() {
    forms = EventKind.allCases.map { Tracepoint.of($0).fields.map(\.form) }
    absent = [UInt8](repeating: 0, count: forms.count)
    present = absent
  }

  /// The row at `index`, which has CPU `cpu` and is written as of `time`.
  mutating func row(
    _ batch: borrowing EventBatch, _ index: Int, cpu: UInt16, time: UInt64,
    _ directory: EventDirectory
  ) -> TraceRow {
    losses.rows += 1
    let task = batch.task(index) == EventBatch.unknownTask ? -1 : batch.task(index)
    guard let kind = batch.kind(index) else {
      var row = TraceRow(.print, cpu: cpu, task: task, time: time)
      row.other = number(ofOther: batch.event(index), directory)
      return row
    }
    var row = TraceRow(kind, cpu: cpu, task: task, time: time)
    let event = Int(kind.rawValue)
    for slot in 0..<forms[event].count {
      let word = batch.word(index, slot)
      let bit = UInt8(truncatingIfNeeded: 1 << slot)
      if word == EventBatch.absent {
        absent[event] |= bit
        row.words[slot] = word
        continue
      }
      present[event] |= bit
      switch forms[event][slot] {
      case .function: row.words[slot] = function(word, directory)
      case .cpuMask: row.words[slot] = mask(batch, word)
      default: row.words[slot] = word
      }
    }
    return row
  }

  mutating func skipRowWithoutCPU() { losses.withoutCPU += 1 }
  mutating func noteMovedUp() { losses.movedUp += 1 }
  mutating func noteRounded() { losses.timesRounded += 1 }

  /// Formats of the known events without the fields that no row had.
  func formats() -> [EventFormat] {
    EventFormat.builtIn.map { format in
      let event = Int(format.kind.rawValue)
      return format.without(
        forms[event].indices.filter { absent[event] & ~present[event] & 1 << $0 != 0 })
    }
  }

  /// The losses, with what is only known at the end.
  func finalLosses() -> ConversionLosses {
    var losses = losses
    for (index, other) in others.enumerated() {
      losses.bareEvents["\(other.system):\(other.name)", default: 0] += otherCounts[index]
    }
    for kind in EventKind.allCases {
      let event = Int(kind.rawValue)
      let tracepoint = Tracepoint.of(kind)
      for slot in forms[event].indices where absent[event] & present[event] & 1 << slot != 0 {
        losses.partialFields.append(
          "\(tracepoint.system):\(tracepoint.name) \(tracepoint.fields[slot].name)")
      }
    }
    return losses
  }

  private mutating func number(ofOther event: UInt16, _ directory: EventDirectory) -> UInt16 {
    if let known = otherNumbers[event] {
      otherCounts[Int(known) - 1] += 1
      return known
    }
    let name = directory.names[Int(event)]
    // The form wants a subsystem; `perf:` is where perf's own events are put.
    others.append(BareEvent(system: name.system ?? "perf", name: name.name))
    otherCounts.append(1)
    otherNumbers[event] = UInt16(others.count)
    return UInt16(others.count)
  }

  private mutating func function(_ word: UInt64, _ directory: EventDirectory) -> UInt64 {
    guard let name = FunctionName.symbol(word, in: directory) else { return word }
    if let known = functionAddresses[word] { return known }
    guard symbols.count < Self.functionsMax else { return 0 }
    let address = Self.firstFunction + UInt64(symbols.count) * Self.functionSize
    symbols.append(KernelSymbol(address, Self.functionSize, name))
    functionAddresses[word] = address
    return address
  }

  private mutating func mask(_ batch: borrowing EventBatch, _ word: UInt64) -> UInt64 {
    let limbs = Int(word & 0xffff_ffff)
    for limb in 1..<max(limbs, 1) where batch.maskLimb(word, limb) ?? 0 != 0 {
      losses.masksCut += 1
      break
    }
    return batch.maskLimb(word, 0) ?? 0
  }
}
