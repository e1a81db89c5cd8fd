import TraceEvents

@testable import TraceFiles

/// The slow twin of the text readers: the same grammar with `String` and `Regex`, one line at a time.
///
/// It knows the kernel's and trace-cmd's lines in their anchored form, and perf's padded ones.
struct PlainTextLine {
  let dialect: TextDialect
  let directory = EventDirectory()

  /// The row of a line and how many digits its time has behind the point (-1 for µs without one); nil
  /// if it is no event.
  func row(_ line: String) -> (row: TextRow, digits: Int)? {
    guard let head = dialect == .perfScript ? perfHead(line) : taskHead(line) else { return nil }
    guard let event = event(head.body) else { return nil }
    let row = TextRow(
      instance: 0, time: head.time, cpu: head.cpu, task: head.task,
      event: directory.names[Int(event.index)].full, words: words(event.index, event.text))
    return (row, head.digits)
  }

  // MARK: Head

  private typealias Head = (
    isLatency: Bool, time: UInt64, digits: Int, cpu: UInt16, task: Int32, body: Substring
  )

  private func taskHead(_ line: String) -> Head? {
    let dashes = line.indices.prefix(320).filter { line[$0] == "-" }
    let matches = dashes.compactMap { dash in
      taskTail(line[line.index(after: dash)...]).map {
        (line.distance(from: line.startIndex, to: dash), $0)
      }
    }
    guard let first = matches.first,
      let (column, head) = matches.last(where: { $0.0 <= first.0 + 16 })
    else { return nil }
    // Before the name's column there may be an instance's name, or blanks.
    let prefix = line.prefix(max(0, column - (head.isLatency ? 8 : 16)))
    return prefix.allSatisfy { $0 == " " } ? head : nil
  }

  private func taskTail(_ tail: Substring) -> Head? {
    let group = /(?:\( *(?:-+|\d+)\) +)?/
    let bracketed = /\[(\d{3,})\] *(?:[^ \d][^ ]{0,7} +)?/
    let glued = /(\d++)[.A-Za-z][^ ]{3,7} +/
    let time = /(\d++)(\.(?:\d{9}|\d{6})(?!\d))?(us.)?: +/
    guard let pid = tail.prefixMatch(of: /(\d+) +/), let task = Int32(pid.1) else { return nil }
    var rest = tail[pid.range.upperBound...]
    if let found = rest.prefixMatch(of: group) { rest = rest[found.range.upperBound...] }
    let cpu: Substring
    var isLatency = false
    if let found = rest.prefixMatch(of: bracketed) {
      cpu = found.1
      rest = rest[found.range.upperBound...]
    } else if let found = rest.prefixMatch(of: glued) {
      cpu = found.1
      rest = rest[found.range.upperBound...]
      isLatency = true
    } else {
      return nil
    }
    guard let number = UInt64(cpu), number < 4096, let found = rest.prefixMatch(of: time),
      let whole = UInt64(found.1)
    else { return nil }
    if found.3 != nil, !isLatency || found.2 != nil { return nil }
    guard let time = nanoseconds(whole, found.2) else { return nil }
    let isRelative = found.3 != nil
    return (
      isLatency, isRelative ? whole * 1000 : time,
      isRelative ? -1 : max(0, (found.2?.count ?? 1) - 1),
      UInt16(number), task, rest[found.range.upperBound...]
    )
  }

  private func nanoseconds(_ whole: UInt64, _ fraction: Substring?) -> UInt64? {
    guard let digits = fraction?.dropFirst(), let part = UInt64(digits) else { return whole }
    guard whole < 18_446_744_073 else { return nil }
    return whole * 1_000_000_000 + part * (digits.count == 6 ? 1000 : 1)
  }

  private func perfHead(_ line: String) -> Head? {
    let head = /.{16} +(-?\d+) +\[(\d{3,})\] +(\d+)(\.(?:\d{9}|\d{6})): +/
    guard let found = line.prefixMatch(of: head), let task = Int32(found.1),
      let cpu = UInt16(found.2), let whole = UInt64(found.3),
      let time = nanoseconds(whole, found.4)
    else { return nil }
    var body = line[found.range.upperBound...]
    if let period = body.prefixMatch(of: /\d+ +/) { body = body[period.range.upperBound...] }
    return (false, time, found.4.count - 1, cpu, task, body)
  }

  // MARK: Event

  private func event(_ body: Substring) -> (index: UInt16, text: Substring)? {
    func named(_ system: String?, _ name: String, _ text: Substring) -> (UInt16, Substring)? {
      directory.index(system: system, name: name).map { ($0, text) }
    }
    if dialect == .perfScript {
      let word = body.prefix { $0 != " " }
      guard word.count > 1, word.hasSuffix(":"), body.prefixMatch(of: /\w/) != nil,
        !word.hasPrefix("PERF_RECORD_")
      else { return nil }
      let text = body.dropFirst(word.count)
      var parts = word.dropLast().split(separator: ":", omittingEmptySubsequences: false)
      if parts.count > 1, parts[parts.count - 1].wholeMatch(of: /[ukhIGHpPSDWebR]{1,8}/) != nil {
        parts.removeLast()
      }
      if parts.count == 2, parts.allSatisfy({ !$0.isEmpty }) {
        return named(String(parts[0]), String(parts[1]), text)
      }
      return named(nil, String(word.dropLast()), text)
    }
    var body = body
    if dialect == .traceCmd, body.hasPrefix("(+") {
      body = body.drop { $0 != " " }.drop { $0 == " " }
    }
    if body.hasPrefix("<stack trace") { return named(nil, "kernel_stack", "") }
    if body.hasPrefix("<user stack trace") { return named(nil, "user_stack", "") }
    guard body.prefixMatch(of: /[A-Za-z0-9_]/) != nil else { return nil }
    let name = body.prefix { $0 != ":" && $0 != " " && $0 != "(" }
    let rest = body.dropFirst(name.count)
    if rest == ":" || rest.hasPrefix(": ") { return named(nil, String(name), rest.dropFirst()) }
    let call = name.dropFirst(4)
    if name.hasPrefix("sys_"), !call.isEmpty {
      if rest.hasPrefix("(") { return named("syscalls", "sys_enter_\(call)", rest.dropFirst()) }
      if rest.hasPrefix(" -> ") { return named("syscalls", "sys_exit_\(call)", rest.dropFirst(4)) }
    }
    return rest.hasPrefix(" <-") ? named(nil, "function", "") : nil
  }

  // MARK: Words

  private func words(_ index: UInt16, _ text: Substring) -> [String] {
    guard let kind = EventKind(rawValue: index) else { return [] }
    let tracepoint = Tracepoint.of(kind)
    var words = tracepoint.fields.map { _ in "-" }
    guard !words.isEmpty else { return [] }
    var rest = text.drop { $0 == " " }
    switch kind {
    case .print:
      if rest.hasPrefix("tracing_mark_write: ") { rest = rest.dropFirst(20) }
      if rest.hasPrefix("ip="), let found = rest.firstRange(of: " buf=") {
        rest = rest[found.upperBound...]
      }
      return [String(rest)]
    case .schedSwitch where !rest.hasPrefix("prev_"):
      if text.hasPrefix("          ") { rest = text.dropFirst(9) }
      return plugin(rest) ?? words
    case .filemapAdd, .filemapDelete:
      if let found = rest.prefixMatch(of: /dev (\d+):(\d+)/), let major = UInt64(found.1),
        let minor = UInt64(found.2), major < 1 << 12, minor < 1 << 20
      {
        words[FilemapChange.device] = "\(major << 20 | minor)"
        let tail = rest[found.range.upperBound...].drop { $0 == " " }
        if let inode = tail.prefixMatch(of: /ino ([0-9A-Fa-f]{1,16})(?=$|[ ,)])/) {
          words[FilemapChange.inode] = PlainTextValue.number(UInt64(inode.1, radix: 16))
        }
      }
    default:
      if tracepoint.fields.map(\.name) == ["ret"], let first = rest.first,
        first == "-" || first.isNumber
      {
        return [PlainTextValue.integer(&rest)]
      }
    }
    keyed(tracepoint, rest, &words)
    return words
  }

  private func keyed(_ tracepoint: Tracepoint, _ text: Substring, _ words: inout [String]) {
    var rest = text
    while true {
      rest = rest.drop { " ,(".contains($0) }
      if rest.isEmpty { return }
      let key = rest.prefix { !"=: ,".contains($0) }
      rest = rest.dropFirst(key.count)
      if !key.isEmpty, let mark = rest.first, mark == "=" || mark == ":" {
        rest = rest.dropFirst()
        let slot = tracepoint.fields.firstIndex { ([$0.name] + $0.aliases).contains(String(key)) }
        if let slot {
          if mark == ":" { rest = rest.drop { $0 == " " } }
          words[slot] = PlainTextValue.word(tracepoint, slot, String(key), &rest)
        }
      }
      if rest.first != " " { rest = rest.drop { $0 != " " && $0 != "," } }
    }
  }

  private func plugin(_ text: Substring) -> [String]? {
    func task(_ text: Substring, _ state: Bool) -> (String, String)? {
      for length in stride(from: min(15, text.count), through: 0, by: -1) {
        let tail = text.dropFirst(length)
        let found =
          state
          ? tail.wholeMatch(of: /:(\d+) \[\d+\](?: [^ ]*)?/)?.1
          : tail.wholeMatch(of: /:(\d+) \[\d+\]/)?.1
        if let found { return (String(text.prefix(length)), PlainTextValue.number(UInt64(found))) }
      }
      return nil
    }
    for arrow in text.ranges(of: " ==> ") {
      guard let previous = task(text[..<arrow.lowerBound], true) else { continue }
      guard let next = task(text[arrow.upperBound...], false) else { return nil }
      return [previous.1, next.1, "-", previous.0, next.0]
    }
    return nil
  }
}

/// Values of the slow twin.
enum PlainTextValue {
  static func number(_ value: UInt64?) -> String {
    guard let value, value != EventBatch.absent else { return "-" }
    return "\(Int64(bitPattern: value))"
  }

  static func word(
    _ tracepoint: Tracepoint, _ slot: Int, _ key: String, _ rest: inout Substring
  ) -> String {
    switch tracepoint.fields[slot].form {
    case .integer:
      if tracepoint.kind == .tlbFlush, slot == TLBFlush.reason { return reason(&rest) }
      guard key == "ofs" else { return integer(&rest) }
      return number(Int64(integer(&rest)).map { UInt64(bitPattern: $0) >> 12 })
    case .hexadecimal: return hexadecimal(&rest)
    case .symbolic(let names):
      if let first = rest.first, first == "-" || first.isNumber { return integer(&rest) }
      return number(names[word(&rest)].map { UInt64(bitPattern: $0) })
    case .flags(let names):
      if rest.first?.isNumber == true { return integer(&rest) }
      return tracepoint.kind == .lruInsertion ? letters(rest) : flags(word(&rest), names)
    case .function: return function(&rest)
    case .text:
      let follow =
        tracepoint.kind == .schedSwitch
        ? (slot == SchedSwitch.previousName ? " prev_pid=" : " next_pid=") : " pid="
      for length in stride(from: min(15, rest.count), through: 0, by: -1)
      where rest.dropFirst(length).hasPrefix(follow) {
        let name = String(rest.prefix(length))
        rest = rest.dropFirst(length)
        return name
      }
      return "-"
    case .cpuMask: return mask(&rest)
    }
  }

  private static func word(_ rest: inout Substring) -> String {
    let word = rest.prefix { !" ,)".contains($0) }
    rest = rest.dropFirst(word.count)
    return String(word)
  }

  private static func isDelimited(_ rest: Substring) -> Bool {
    rest.first.map { " ,)\t".contains($0) } ?? true
  }

  static func integer(_ rest: inout Substring) -> String {
    let isNegative = rest.hasPrefix("-")
    if isNegative { rest = rest.dropFirst() }
    var value: UInt64?
    if let found = rest.prefixMatch(of: /0x([0-9A-Fa-f]+)/) {
      rest = rest[found.range.upperBound...]
      value = found.1.count > 16 ? nil : UInt64(found.1, radix: 16)
      if let small = value, small >> 31 == 1, rest.hasPrefix(" (-") {
        value = UInt64(bitPattern: Int64(Int32(truncatingIfNeeded: small)))
      }
    } else if let found = rest.prefixMatch(of: /[0-9]+/) {
      guard !rest.hasPrefix("0x") else { return "-" }
      rest = rest[found.range.upperBound...]
      value = UInt64(found.0)
      if value != nil, rest.hasPrefix("B") { rest = rest.dropFirst() }
    } else {
      for (text, word) in [("true", "1"), ("false", "0")] where rest.hasPrefix(text) {
        return isDelimited(rest.dropFirst(text.count)) ? word : "-"
      }
      return "-"
    }
    guard isDelimited(rest) else { return "-" }
    return number(value.map { isNegative ? 0 &- $0 : $0 })
  }

  static func hexadecimal(_ rest: inout Substring) -> String {
    if rest.hasPrefix("(") { return rest.hasPrefix("(nil)") ? "0" : "-" }
    guard let found = rest.prefixMatch(of: /(?:0x)?([0-9A-Fa-f]+)/) else { return "-" }
    guard found.1.count <= 16, isDelimited(rest[found.range.upperBound...]) else { return "-" }
    return number(UInt64(found.1, radix: 16))
  }

  private static func reason(_ rest: inout Substring) -> String {
    rest = rest.drop { $0 == " " && false }
    if let first = rest.first, first == "-" || first.isNumber { return integer(&rest) }
    guard let open = rest.firstIndex(of: "(") else {
      rest = rest[rest.endIndex...]
      return "-"
    }
    rest = rest[rest.index(after: open)...]
    guard let found = rest.prefixMatch(of: /([0-9]+)\)/) else { return "-" }
    return number(UInt64(found.1))
  }

  private static func flags(_ text: String, _ names: [String: UInt64]) -> String {
    var union: UInt64 = 0
    for part in text.split(separator: "|", omittingEmptySubsequences: false) {
      if let bits = names[String(part)] {
        union |= bits
      } else if part.hasPrefix("0x"), let bits = UInt64(part.dropFirst(2), radix: 16) {
        union |= bits
      } else {
        return "-"
      }
    }
    return number(union)
  }

  private static func letters(_ rest: Substring) -> String {
    let values: [Character: UInt64] = [
      "M": 1, "a": 2, "f": 4, "s": 8, "b": 16, "d": 32, "B": 64, " ": 0,
    ]
    var bits: UInt64 = 0
    for letter in rest.prefix(6) {
      guard let value = values[letter] else { return "-" }
      bits |= value
    }
    return bits & 6 == 0 ? "-" : number(bits)
  }

  private static func function(_ rest: inout Substring) -> String {
    if rest.hasPrefix("0") || rest.hasPrefix("(") {
      return hexadecimal(&rest).nonNegative
    }
    let name = rest.prefix { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_" || $0 == ".") }
    guard !name.isEmpty else { return "-" }
    if name.count == 16, let address = UInt64(name, radix: 16) { return "\(address)" }
    return String(name)
  }

  private static func mask(_ rest: inout Substring) -> String {
    let text = rest.prefix { $0 != " " }
    rest = rest.dropFirst(text.count)
    var cpus: [Int] = []
    if text.wholeMatch(of: /[0-9A-Fa-f]{8}(?:,[0-9A-Fa-f]{8})*/) != nil {
      for (group, digits) in text.split(separator: ",").reversed().enumerated() {
        let bits = UInt32(digits, radix: 16) ?? 0
        cpus += (0..<32).filter { bits >> UInt32($0) & 1 == 1 }.map { group * 32 + $0 }
      }
      return cpus.map(String.init).joined(separator: ",")
    }
    for part in text.split(separator: ",", omittingEmptySubsequences: false) {
      guard let found = part.wholeMatch(of: /([0-9]+)(?:-([0-9]+))?/), let first = Int(found.1),
        let last = found.2.map({ Int($0) }) ?? first, first <= last, last < 4096
      else { return "-" }
      cpus += first...last
    }
    return Set(cpus).sorted().map(String.init).joined(separator: ",")
  }
}

extension String {
  /// Function words print unsigned.
  fileprivate var nonNegative: String {
    Int64(self).map { "\(UInt64(bitPattern: $0))" } ?? self
  }
}
