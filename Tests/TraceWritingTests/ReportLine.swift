import TraceEvents
import TraceWriting

/// One line of `trace-cmd report -R -t` or `perf script --ns`, taken apart.
struct ReportLine {
  var instance = ""
  var name = ""
  var task: Int32 = 0
  var cpu: UInt16 = 0
  var time: UInt64 = 0
  var event = ""
  var fields = ""

  /// `INSTANCE:   COMM-PID   [CPU]   SECONDS.NANOSECONDS: EVENT:   FIELDS`
  init?(traceCmd line: Substring, instances: [String]) {
    var rest = line
    // Names are padded to the widest.
    let trimmed = rest.drop { $0 == " " }
    for instance in instances where trimmed.hasPrefix("\(instance):") {
      self.instance = instance
      rest = trimmed.dropFirst(instance.count + 1)
    }
    // A comm may hold anything: the CPU in its brackets is the last thing before the time.
    guard let stamp = rest.firstRange(of: #/\[(\d{3})\] +(\d+)\.(\d{9}): +(\w+): */#),
      let match = rest[stamp].wholeMatch(of: #/\[(\d{3})\] +(\d+)\.(\d{9}): +(\w+): */#),
      let head = rest[..<stamp.lowerBound].wholeMatch(of: #/ *(.*)-(\d+) */#)
    else { return nil }
    name = String(head.1)
    task = Int32(head.2) ?? -1
    cpu = UInt16(match.1) ?? .max
    time = (UInt64(match.2) ?? 0) * 1_000_000_000 + (UInt64(match.3) ?? 0)
    event = String(match.4)
    fields = String(rest[stamp.upperBound...])
  }

  /// `COMM   TID [CPU]   SECONDS.NANOSECONDS:   SYSTEM:EVENT: FIELDS`
  init?(perf line: Substring) {
    guard let stamp = line.firstRange(of: #/\[(\d{3})\] +(\d+)\.(\d{9}): +(\w+:\w+): /#),
      let match = line[stamp].wholeMatch(of: #/\[(\d{3})\] +(\d+)\.(\d{9}): +(\w+:\w+): /#),
      let head = line[..<stamp.lowerBound].wholeMatch(of: #/ *(.*?) +(\d+) /#)
    else { return nil }
    name = String(head.1)
    task = Int32(head.2) ?? -1
    cpu = UInt16(match.1) ?? .max
    time = (UInt64(match.2) ?? 0) * 1_000_000_000 + (UInt64(match.3) ?? 0)
    event = String(match.4)
    fields = String(line[stamp.upperBound...])
  }

  /// Why the line does not tell what `row` says; nil if it does.
  func disagreement(with row: TraceRow, names: TraceNames, isRaw: Bool) -> String? {
    let tracepoint = Tracepoint.of(row.kind)
    let wanted = isRaw ? tracepoint.name : "\(tracepoint.system):\(tracepoint.name)"
    if event != wanted { return "event \(event), wrote \(wanted)" }
    if time != row.time { return "time \(time), wrote \(row.time)" }
    if task != row.task || cpu != row.cpu { return "task \(task) CPU \(cpu)" }
    if let known = names.tasks.first(where: { $0.task == row.task }), known.name != name {
      return "comm \(name)"
    }
    return isRaw ? fieldDisagreement(with: row, names: names) : nil
  }

  private func fieldDisagreement(with row: TraceRow, names: TraceNames) -> String? {
    guard let format = EventFormat.of(row.kind) else { return "no format" }
    for (slot, wanted) in Tracepoint.of(row.kind).fields.enumerated() {
      let keys = [wanted.name] + wanted.aliases
      guard let field = format.fields.first(where: { keys.contains($0.name) }) else { continue }
      guard let start = fields.firstRange(of: "\(field.name)=") else { return "no \(field.name)" }
      let value = fields[start.upperBound...]
      switch wanted.form {
      case .text:
        let text = names.texts[Int(row.words[slot])]
        if !value.hasPrefix(text) { return "\(field.name) is \(value), wrote \(text)" }
      case .cpuMask:
        // Raw, a dynamic field is its location: 8 bytes behind the fixed part of 32.
        if value.prefix(while: { $0 != " " }) != "\(8 << 16 | 32)" { return "mask at \(value)" }
      default:
        let token = value.prefix { $0 != " " }
        let mask = field.size == 8 ? UInt64.max : 1 << UInt64(field.size * 8) - 1
        guard let number = number(token, isHexadecimal: wanted.form == .hexadecimal) else {
          return "\(field.name) is \(token)"
        }
        if number & mask != row.words[slot] & mask {
          return "\(field.name) is \(token), wrote \(row.words[slot])"
        }
      }
    }
    return nil
  }

  private func number(_ token: Substring, isHexadecimal: Bool) -> UInt64? {
    if token == "(nil)" { return 0 }
    if token.hasPrefix("0x") { return UInt64(token.dropFirst(2), radix: 16) }
    if isHexadecimal { return UInt64(token, radix: 16) }
    return UInt64(token) ?? Int64(token).map { UInt64(bitPattern: $0) }
  }
}
