import TraceEvents
import TraceWriting

/// Rows of every event that the writers know, with payloads that stock tools print as numbers.
enum SampleRows {
  static let names = TraceNames(
    tasks: [(1, "init"), (77, "a b-c:1 [z]"), (4321, "kworker/0:1")],
    texts: ["a b-c:1 [z]", "kworker/0:1", "mark"])

  /// `perCPU` rows for `cpu`, the kinds in turn, times ascending with a gap now and then.
  static func rows(cpu: UInt16, perCPU: Int, kinds: [EventKind]) -> [TraceRow] {
    var state = UInt64(cpu) &* 0x9e37_79b9_7f4a_7c15 &+ 1
    var time: UInt64 = 5_000_000_000 + UInt64(cpu)
    return (0..<perCPU).map { index in
      // SplitMix64 (Steele, Lea, Flood 2014).
      func random() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
      }
      // Gaps on both sides of what 27 bits of nanoseconds hold.
      let gaps: [UInt64] = [1 << 27 - 1, 1 << 27, 1 << 27 + 1, 3 << 30]
      time += index % 97 == 0 ? gaps[index / 97 % 4] : random() % 10_000
      let kind = kinds[(index + Int(cpu)) % kinds.count]
      var row = TraceRow(kind, cpu: cpu, task: [1, 77, 4321, 0][Int(random() % 4)], time: time)
      for (slot, field) in Tracepoint.of(kind).fields.enumerated() {
        switch field.form {
        case .text: row.words[slot] = random() % 3
        case .cpuMask: row.words[slot] = random() & 0xf
        // Below the kernel's text, so that no symbol covers it.
        case .function: row.words[slot] = random() >> 20
        case .symbolic, .flags: row.words[slot] = random() % 4
        default: row.words[slot] = random() >> 33
        }
      }
      // Readers look twice at a flush for no known reason.
      if kind == .tlbFlush { row.words[TLBFlush.reason] %= 5 }
      return row
    }
  }
}
