import TraceEvents

/// Turns the text of an event into its payload words.
///
/// Values are found by key (`key=value`, `key:value`, `key: value`), in any order, as kernels and
/// tools differ in order and spelling. A value that is missing, or is not what its key promises, is
/// `EventBatch.absent`.
///
/// A class because it owns its tables; nothing is allocated for a line whose texts were seen before.
final class TextPayload {
  private let directory: EventDirectory
  private let memo = TextWordMemo()
  private let limbs: UnsafeMutablePointer<UInt64>
  private let events: TextEventTable
  /// Names of symbolic fields and flags, by event and slot.
  private let names: [[[String: UInt64]]]

  /// Limbs of a mask of ``TextLine/cpusMax`` CPUs.
  private static let limbsMax = 64

  init(_ directory: EventDirectory, _ events: TextEventTable) {
    self.directory = directory
    self.events = events
    limbs = .allocate(capacity: Self.limbsMax)
    names = Tracepoint.all.map { tracepoint in
      tracepoint.fields.map { field in
        switch field.form {
        case .symbolic(let names): names.mapValues { UInt64(bitPattern: $0) }
        case .flags(let names): names
        default: [:]
        }
      }
    }
  }

  deinit { limbs.deallocate() }

  /// Writes the words of the row just appended.
  ///
  /// - Parameter scanner: stands behind the event's name.
  @inline(__always)
  func decode(
    _ plan: TextPlan, _ scanner: TextScanner, _ payload: UnsafeMutablePointer<UInt64>,
    _ batch: inout EventBatch
  ) {
    for slot in 0..<Int(plan.words) { payload[slot] = EventBatch.absent }
    var scanner = scanner
    if plan.layout == .keyed {
      keyed(plan, &scanner, payload, &batch)
    } else {
      let column = scanner.at
      scanner.skipSpaces()
      special(plan, &scanner, column, payload, &batch)
    }
  }

  private func special(
    _ plan: TextPlan, _ scanner: inout TextScanner, _ column: UnsafePointer<UInt8>,
    _ payload: UnsafeMutablePointer<UInt64>, _ batch: inout EventBatch
  ) {
    switch plan.layout {
    case .keyed: break
    case .schedSwitch:
      if scanner.hasPrefix("prev_") {
        keyed(plan, &scanner, payload, &batch)
      } else {
        // trace-cmd fills `sched_switch:` up to 22 bytes; a blank behind them is the task's own.
        if scanner.at - column > 9 { scanner.at = column + 9 }
        pluginSwitch(scanner, payload)
      }
      return
    case .pageCache:
      if scanner.skip("dev "), let major = scanner.takeDecimal(), scanner.skip(ASCII.colon),
        let minor = scanner.takeDecimal(), major < 1 << 12, minor < 1 << 20
      {
        payload[FilemapChange.device] = major &<< 20 | minor
      }
      scanner.skipSpaces()
      if scanner.skip("ino "), let inode = scanner.takeHexadecimal(), scanner.atDelimiter {
        payload[FilemapChange.inode] = inode
      }
    case .mark:
      payload[PrintMark.text] = mark(scanner)
      return
    case .result:
      if scanner.peek == ASCII.dash || ASCII.isDigit(scanner.peek) {
        payload[SyscallExit.result] = integer(&scanner)
        return
      }
    case .rawEntry:
      if rawEntry(&scanner, payload) { return }
    case .rawExit:
      if rawExit(&scanner, payload) { return }
    }
    keyed(plan, &scanner, payload, &batch)
  }

  // MARK: Keys

  @inline(__always)
  private func keyed(
    _ plan: TextPlan, _ scanner: inout TextScanner, _ payload: UnsafeMutablePointer<UInt64>,
    _ batch: inout EventBatch
  ) {
    let keys = events.keys + Int(plan.keys)
    let keyCount = Int(plan.keyCount)
    while scanner.at < scanner.end {
      while scanner.at < scanner.end, Self.separates(scanner.at.pointee) { scanner.at += 1 }
      let start = scanner.at
      scanner.skip(to: .keyEnd)
      let count = scanner.at - start
      let mark = scanner.peek
      if count > 0, mark == ASCII.equals || mark == ASCII.colon {
        scanner.at += 1
        let first = scanner.word(start, count)
        let last = count > 8 ? scanner.word(start + (count - 8), 8) : first
        for index in 0..<keyCount {
          let key = keys[index]
          if key.first == first, key.last == last, Int(key.count) == count,
            count <= 16 || key.second == scanner.word(start + 8, 8)
          {
            let slot = Int(key.slot)
            // Limbs of a mask go to the batch's pool, which has room for one of each row.
            if key.reading == .mask, payload[slot] != EventBatch.absent { break }
            payload[slot] = value(key, plan, mark, &scanner, &batch)
            break
          }
        }
      }
      if scanner.peek != ASCII.space { scanner.skip(to: .valueEnd) }
    }
  }

  @inline(__always)
  private static func separates(_ byte: UInt8) -> Bool {
    byte == ASCII.space || byte == ASCII.comma || byte == ASCII.open
  }

  @inline(__always)
  private func value(
    _ key: TextKey, _ plan: TextPlan, _ mark: UInt8, _ scanner: inout TextScanner,
    _ batch: inout EventBatch
  ) -> UInt64 {
    if mark == ASCII.colon { scanner.skipSpaces() }
    switch key.reading {
    case .integer: return integer(&scanner)
    case .hexadecimal: return hexadecimal(&scanner)
    case .flags: return flags(key, plan, &scanner)
    case .symbolic: return symbol(key, plan, &scanner)
    case .function: return function(&scanner)
    case .flushReason: return flushReason(&scanner)
    case .letters: return letters(&scanner)
    case .offset:
      let offset = integer(&scanner)
      // `ofs` is the index << PAGE_SHIFT (Linux 6.12 include/trace/events/filemap.h), x86: 12.
      return offset == EventBatch.absent ? offset : offset &>> 12
    case .name: return name(key, plan, &scanner)
    case .mask: return mask(&scanner, &batch)
    }
  }

  // MARK: Numbers

  /// `12`, `-1`, `0x1f`, `4096B`, `true`; with the `fields` option `0xffffffff (-1)`.
  @inline(__always)
  private func integer(_ scanner: inout TextScanner) -> UInt64 {
    let isNegative = scanner.skip(ASCII.dash)
    var value: UInt64
    if scanner.peek == ASCII.zero, scanner.peek(1) == ASCII.x {
      scanner.at += 2
      guard let number = scanner.takeHexadecimal() else { return EventBatch.absent }
      value = number
      // That option prints all values unsigned first; the sign shows in the decimal only.
      if number &>> 31 == 1, scanner.hasPrefix(" (-") {
        value = UInt64(bitPattern: Int64(Int32(truncatingIfNeeded: number)))
      }
    } else {
      guard let number = scanner.takeDecimal() else { return truth(&scanner) }
      value = number
      if scanner.peek == UInt8(ascii: "B") { scanner.at += 1 }
    }
    guard scanner.atDelimiter else { return EventBatch.absent }
    return isNegative ? 0 &- value : value
  }

  private func truth(_ scanner: inout TextScanner) -> UInt64 {
    if scanner.skip("true"), scanner.atDelimiter { return 1 }
    if scanner.skip("false"), scanner.atDelimiter { return 0 }
    return EventBatch.absent
  }

  /// `7fffd5c54000`, `0x7fffd5c54000`, `(nil)`.
  @inline(__always)
  private func hexadecimal(_ scanner: inout TextScanner) -> UInt64 {
    if scanner.peek == ASCII.open { return scanner.skip("(nil)") ? 0 : EventBatch.absent }
    if scanner.peek == ASCII.zero, scanner.peek(1) == ASCII.x { scanner.at += 2 }
    guard let value = scanner.takeHexadecimal(), scanner.atDelimiter else {
      return EventBatch.absent
    }
    return value
  }

  /// `local mm shootdown (3)`, ` (4)`, `0x5 (5)`, `3`: the number, never the words, which change.
  private func flushReason(_ scanner: inout TextScanner) -> UInt64 {
    if scanner.peek == ASCII.dash || ASCII.isDigit(scanner.peek) { return integer(&scanner) }
    while scanner.at < scanner.end {
      if scanner.skip(ASCII.open) {
        guard let number = scanner.takeDecimal(), scanner.skip(ASCII.close) else {
          return EventBatch.absent
        }
        return number
      }
      scanner.at += 1
    }
    return EventBatch.absent
  }

  // MARK: Names

  /// The word at the cursor up to a blank, a comma or a closing parenthesis.
  @inline(__always)
  private func word(_ scanner: inout TextScanner) -> TextSpan {
    let start = scanner.at
    scanner.skip(to: .wordEnd)
    return TextSpan(start: start, count: scanner.at - start)
  }

  @inline(__always)
  private func symbol(_ key: TextKey, _ plan: TextPlan, _ scanner: inout TextScanner) -> UInt64 {
    if scanner.peek == ASCII.dash || ASCII.isDigit(scanner.peek) { return integer(&scanner) }
    let text = word(&scanner)
    return memo.value(text, Self.domain(plan, key)) {
      names[Int(plan.event)][Int(key.field)][text.text] ?? EventBatch.absent
    }
  }

  @inline(__always)
  private func flags(_ key: TextKey, _ plan: TextPlan, _ scanner: inout TextScanner) -> UInt64 {
    if ASCII.isDigit(scanner.peek) { return integer(&scanner) }
    let text = word(&scanner)
    return memo.value(text, Self.domain(plan, key)) {
      var union: UInt64 = 0
      let known = names[Int(plan.event)][Int(key.field)]
      for part in text.text.split(separator: "|", omittingEmptySubsequences: false) {
        if let bits = known[String(part)] {
          union |= bits
        } else if part.hasPrefix("0x"), let bits = UInt64(part.dropFirst(2), radix: 16) {
          union |= bits
        } else {
          // A flag without a known bit: part of the set would be a wrong set.
          return EventBatch.absent
        }
      }
      return union
    }
  }

  @inline(__always)
  private static func domain(_ plan: TextPlan, _ key: TextKey) -> UInt64 {
    UInt64(plan.event) &<< 8 | UInt64(key.slot) &+ 16
  }

  /// The letters of `flags=Maf s b d B`: Linux 6.12 include/trace/events/pagemap.h, one column each.
  private func letters(_ scanner: inout TextScanner) -> UInt64 {
    if ASCII.isDigit(scanner.peek) { return integer(&scanner) }
    var bits: UInt64 = 0
    var columns = 0
    while scanner.at < scanner.end, columns < 6 {
      switch scanner.at.pointee {
      case UInt8(ascii: "M"): bits |= 0x01
      case UInt8(ascii: "a"): bits |= 0x02
      case UInt8(ascii: "f"): bits |= 0x04
      case UInt8(ascii: "s"): bits |= 0x08
      case UInt8(ascii: "b"): bits |= 0x10
      case UInt8(ascii: "d"): bits |= 0x20
      case UInt8(ascii: "B"): bits |= 0x40
      case ASCII.space: break
      default: return EventBatch.absent
      }
      scanner.at += 1
      columns += 1
    }
    // Every folio is anonymous or of a file: without either letter, these were no flags.
    return bits & 0x06 == 0 ? EventBatch.absent : bits
  }

  /// `flush_tlb_func`, `wakeup_preempt+0x37/0x70`, `0xffffffff811cde44`, `(nil)`.
  @inline(__always)
  private func function(_ scanner: inout TextScanner) -> UInt64 {
    let first = scanner.peek
    if first == ASCII.zero || first == ASCII.open { return hexadecimal(&scanner) }
    guard ASCII.isWord(first) || first == ASCII.dot else { return EventBatch.absent }
    let start = scanner.at
    while scanner.at < scanner.end,
      ASCII.isWord(scanner.at.pointee) || scanner.at.pointee == ASCII.dot
    {
      scanner.at += 1
    }
    let text = TextSpan(start: start, count: scanner.at - start)
    return memo.value(text, 1) {
      // %p of a bare address: 16 digits without a prefix.
      if text.count == 16, let address = UInt64(text.text, radix: 16) { return address }
      return FunctionName.encode(text.text, in: directory)
    }
  }

  private func intern(_ text: TextSpan) -> UInt64 {
    memo.value(text, 2) { directory.intern(text.text) }
  }

  /// A task's name, which may hold blanks: it ends before the last following key within its length.
  private func name(_ key: TextKey, _ plan: TextPlan, _ scanner: inout TextScanner) -> UInt64 {
    let start = scanner.at
    let follow: StaticString =
      plan.event != EventKind.schedSwitch.rawValue
      ? " pid=" : Int(key.slot) == SchedSwitch.previousName ? " prev_pid=" : " next_pid="
    var length = min(TextLine.nameLengthMax, scanner.left)
    while length >= 0 {
      scanner.at = start + length
      if scanner.hasPrefix(follow) { return intern(TextSpan(start: start, count: length)) }
      length -= 1
    }
    scanner.at = start
    return EventBatch.absent
  }

  /// `wl:3228 [120] R ==> trace-cmd:3225 [120]`: how trace-cmd's plugin rewrites sched_switch.
  private func pluginSwitch(_ scanner: TextScanner, _ payload: UnsafeMutablePointer<UInt64>) {
    var arrow = scanner
    while arrow.at < arrow.end {
      if arrow.hasPrefix(" ==> "),
        let previous = pluginTask(
          TextScanner(at: scanner.at, end: arrow.at, limit: scanner.limit), stateFollows: true)
      {
        arrow.at += 5
        guard let next = pluginTask(arrow, stateFollows: false) else { return }
        payload[SchedSwitch.previousTask] = previous.task
        payload[SchedSwitch.previousName] = intern(previous.name)
        payload[SchedSwitch.nextTask] = next.task
        payload[SchedSwitch.nextName] = intern(next.name)
        return
      }
      arrow.at += 1
    }
  }

  /// Splits `name:pid [prio]` or `name:pid [prio] R` from its end.
  private func pluginTask(
    _ scanner: TextScanner, stateFollows: Bool
  ) -> (name: TextSpan, task: UInt64)? {
    var length = min(TextLine.nameLengthMax, scanner.left)
    while length >= 0 {
      var rest = scanner
      rest.at += length
      if rest.skip(ASCII.colon), let task = rest.takeDecimal(), rest.skip(" ["),
        rest.takeDecimal() != nil, rest.skip(ASCII.closeBracket)
      {
        if stateFollows, rest.skip(ASCII.space) { _ = rest.skipWord() }
        // trace-cmd report -w: ` Latency: 134.476 usecs`.
        if rest.hasPrefix(" Latency: ") { rest.at = rest.end }
        rest.skipSpaces()
        if rest.left == 0 { return (TextSpan(start: scanner.at, count: length), task) }
      }
      length -= 1
    }
    return nil
  }

  // MARK: Whole texts

  /// `TB_BEGIN`, `tracing_mark_write: TB_BEGIN`; in field form `ip=0x.. buf=TB_BEGIN`.
  private func mark(_ scanner: TextScanner) -> UInt64 {
    var text = scanner
    _ = text.skip("tracing_mark_write: ")
    if text.hasPrefix("ip=") {
      var inner = text
      while inner.at < inner.end, !inner.hasPrefix(" buf=") { inner.at += 1 }
      if inner.skip(" buf=") { text = inner }
    }
    return intern(TextSpan(start: text.at, count: text.left))
  }

  private func rawEntry(
    _ scanner: inout TextScanner, _ payload: UnsafeMutablePointer<UInt64>
  ) -> Bool {
    guard scanner.skip("NR "), let number = signed(&scanner) else { return false }
    payload[RawSyscall.number] = number
    guard scanner.skip(" (") else { return true }
    for argument in 0..<6 {
      payload[RawSyscall.firstArgument + argument] = hexadecimal(&scanner)
      guard scanner.skip(", ") else { return true }
    }
    return true
  }

  private func rawExit(
    _ scanner: inout TextScanner, _ payload: UnsafeMutablePointer<UInt64>
  ) -> Bool {
    guard scanner.skip("NR "), let number = signed(&scanner) else { return false }
    payload[RawSyscall.number] = number
    if scanner.skip(" = ") { payload[RawSyscall.firstArgument] = integer(&scanner) }
    return true
  }

  private func signed(_ scanner: inout TextScanner) -> UInt64? {
    let isNegative = scanner.skip(ASCII.dash)
    guard let number = scanner.takeDecimal() else { return nil }
    return isNegative ? 0 &- number : number
  }

  // MARK: Masks

  /// `00000000,0000000e` (kernel: groups of 32 bits in hexadecimal) or `1,3-5` (trace-cmd: a list).
  private func mask(_ scanner: inout TextScanner, _ batch: inout EventBatch) -> UInt64 {
    let start = scanner.at
    _ = scanner.skipWord()
    let text = TextSpan(start: start, count: scanner.at - start)
    let used = hexadecimalMask(text) ?? listMask(scanner, text)
    guard let used else { return EventBatch.absent }
    let first = batch.wordCount
    for limb in 0..<used { _ = batch.appendWord(limbs[limb]) }
    return UInt64(first) &<< 32 | UInt64(used)
  }

  /// - Returns: limbs in use; nil if the text is no run of eight-digit groups.
  private func hexadecimalMask(_ text: TextSpan) -> Int? {
    let groups = (text.count + 1) / 9
    guard groups > 0, text.count == groups * 9 - 1, groups <= Self.limbsMax * 2 else { return nil }
    let used = (groups + 1) / 2
    for limb in 0..<used { limbs[limb] = 0 }
    for group in 0..<groups {
      var value: UInt64 = 0
      for digit in 0..<8 {
        let nibble = ASCII.hexValue(text.start[group * 9 + digit])
        guard nibble < 16 else { return nil }
        value = value << 4 | UInt64(nibble)
      }
      if group < groups - 1, text.start[group * 9 + 8] != ASCII.comma { return nil }
      // The most significant group stands first.
      let place = groups - 1 - group
      limbs[place / 2] |= value << UInt64(place % 2 * 32)
    }
    return used
  }

  private func listMask(_ scanner: TextScanner, _ text: TextSpan) -> Int? {
    var list = TextScanner(at: text.start, end: text.start + text.count, limit: scanner.limit)
    for limb in 0..<Self.limbsMax { limbs[limb] = 0 }
    var used = 0
    repeat {
      guard let first = list.takeDecimal(), first < TextLine.cpusMax else { return nil }
      var last = first
      if list.skip(ASCII.dash) {
        guard let end = list.takeDecimal(), end < TextLine.cpusMax, end >= first else { return nil }
        last = end
      }
      for cpu in Int(first)...Int(last) { limbs[cpu / 64] |= 1 << UInt64(cpu % 64) }
      used = max(used, Int(last) / 64 + 1)
    } while list.skip(ASCII.comma)
    return list.left == 0 ? used : nil
  }
}
