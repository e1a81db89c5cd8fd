import Testing
import TraceEvents

@testable import TraceFiles

/// The readers against their slow twin, on the recorded lines and on lines with wrong characters.
@Suite struct TextTwinTests {
  private static let forms: [String] = TextSamples.names.filter { name in
    ![
      "clock-counter", "nocontext", "latverbose", "2inst", "-g-", "gmix", "guser", "group", "mem",
      "eventonly", "nocomm", "nocpu", "F1", "misc", "tod", "cpuclock", "headeronly", "lost",
      "switch",
      "crlf", "nonewline", ".zst", "2members", "2frames", "-F", "cpus",
    ]
    .contains { name.contains($0) }
  }

  private struct Generator: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return state >> 11 ^ state << 21
    }
  }

  private static let replacements = Array("0159afx-+=:;,.()[]<> |_RBMnpr\"".utf8)

  @Test(arguments: forms)
  func fastAndSlowAgree(name: String) throws {
    let dialect: TextDialect =
      name.hasPrefix("ft-") ? .ftrace : name.hasPrefix("tcr-") ? .traceCmd : .perfScript
    var generator = Generator(state: UInt64(name.utf8.count))
    var lines = try TextSamples.text(name).split(separator: 0x0a).map(Array.init)
    lines = Array(
      lines.prefix(20) + lines.dropFirst(20).enumerated().filter { $0.0 % 8 == 0 }.map(\.1))
    for index in lines.indices where index > 40 && index % 3 > 0 {
      // perf's names are found by trial; there only what follows the time is changed.
      let from = dialect == .perfScript ? 48 : 17
      guard lines[index].count > from else { continue }
      for _ in 0..<Int.random(in: 1...3, using: &generator) {
        let place = Int.random(in: from..<lines[index].count, using: &generator)
        let letter = Int.random(in: 0..<Self.replacements.count, using: &generator)
        lines[index][place] = Self.replacements[letter]
      }
    }
    let fast = try TextResult(bytes: Array(lines.joined(separator: [0x0a])) + [0x0a])
    let twin = PlainTextLine(dialect: dialect)
    let slow = lines.filter { $0.first != UInt8(ascii: "#") }.compactMap { line in
      twin.row(String(decoding: line, as: UTF8.self)).map { (line, $0.row, $0.digits) }
    }
    // A time of another kind than that of the first event is not taken.
    let expected = slow.filter { $0.2 == slow.first?.2 }
    #expect(fast.rows.count == expected.count)
    for (a, b) in zip(fast.rows, expected) where a != b.1 {
      Issue.record("\(String(decoding: b.0, as: UTF8.self))\nfast \(a)\nslow \(b.1)")
      return
    }
  }
}
