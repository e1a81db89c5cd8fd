import Testing
import TraceEvents

@testable import TraceFiles

/// What is a text trace, what is refused with advice, and what is no trace.
@Suite struct TextRecognitionTests {
  private func recognise(_ bytes: [UInt8]) throws -> TextDialect? {
    try bytes.withUnsafeBytes { raw in
      guard let base = raw.baseAddress else { return nil }
      return try TextDialect.recognise(ByteView(start: base, count: raw.count))
    }
  }

  private func recognise(_ text: String) throws -> TextDialect? { try recognise(Array(text.utf8)) }

  @Test(arguments: TextSamples.names)
  func piecesWithoutHeaderAreRecognised(name: String) throws {
    let expected: TextDialect =
      name.hasPrefix("ft-") ? .ftrace : name.hasPrefix("tcr-") ? .traceCmd : .perfScript
    let whole = try TextSamples.text(name)
    #expect(try recognise(whole) == expected)
    guard name != "ps-a-one-headeronly.txt" else { return }
    let lines = whole.split(separator: UInt8(ascii: "\n")).filter { line in
      line.first != UInt8(ascii: "#") && !line.starts(with: Array("cpus=".utf8))
    }
    for start in [0, lines.count / 3, lines.count / 2] {
      // Software events alone, bare, say too little to be told from other lists.
      let piece = lines[start..<min(start + 30, lines.count)].joined(separator: [0x0a])
      #expect(try recognise(Array(piece) + [0x0a]) == expected, "\(start)")
    }
  }

  @Test(arguments: [
    ("ft-a-one-raw.txt.gz", "option raw"), ("ft-a-one-hex.txt.gz", "option hex"),
  ])
  func rawAndHexadecimalAreRefusedWithAdvice(name: String, says: String) throws {
    let whole = try TextSamples.text(name)
    for bytes in [
      whole, Array(whole.split(separator: 0x0a).dropFirst(20).joined(separator: [0x0a])),
    ] {
      do {
        _ = try recognise(bytes)
        Issue.record("not refused")
      } catch let error as TraceError {
        #expect(error.message.contains(says) && error.message.contains("echo 0 >"))
      }
    }
  }

  @Test func otherDumpsAreRefusedWithAdvice() throws {
    let dump = """

      0x108@perf.data [0x50]: event: 69
      .
      . ... raw event: size 80 bytes
      .  0000:  45 00 00 00 00 00 50 00 00 00 00 00 00 00 00 00  E.....P.........
      0 0 0x108 [0x50]: PERF_RECORD_EVENT_UPDATE

      """
    #expect(throws: TraceError.self) { try recognise(dump) }
    let graph =
      "# tracer: function_graph\n#\n 0)   0.500 us    |  vfs_read();\n 0)   0.4 us | x();\n"
    #expect(throws: TraceError.self) { try recognise(graph) }
    let binary =
      Array("# tracer: nop\n#\n".utf8) + (0..<4000).map { UInt8(truncatingIfNeeded: $0 * 7) }
    #expect(throws: TraceError.self) { try recognise(binary) }
  }

  @Test func headersAloneAreTraces() throws {
    #expect(
      try recognise("# tracer: nop\n#\n# entries-in-buffer/entries-written: 0/0   #P:4\n")
        == .ftrace)
    #expect(try recognise("cpus=4\n") == .traceCmd)
    #expect(try TextResult(TextSamples.path("ps-a-one-headeronly.txt")).rows.isEmpty)
  }

  @Test(arguments: [
    "", "\n\n\n", "hello\n", "# Title\n\nSome text: with colons.\n- a list\n- of things [1]\n",
    "#include <stdio.h>\n\nint main(void)\n{\n  foo: return 0;\n}\n",
    "[    0.000000] Linux version 6.12\n[    0.000001] Command line: quiet\n",
    "Nov 21 10:38:11 host sshd[123]: Accepted key for x\nNov 21 10:38:12 host cron[5]: run\n",
    "name: value\nother: 5\nlist:\n  - a\n", "{\"events\": {\"tlb_flush\": 5}}\n",
    "a,b,c\n1,2,3\n4,5,6\n", "type: 123\n", "12 34 56 78\n", "cpus=4\nother=5\n",
    "# ========\n# captured on : today\n# ========\n# Overhead  Command\n    12.00%  perf\n",
  ])
  func otherTextsAreNoTraces(text: String) throws {
    #expect(try recognise(text) == nil)
  }

  @Test func quotedTraceLinesDoNotMakeADocumentATrace() throws {
    let document =
      "How to read it:\n\nThe line\n\n              sh-181     [001] d....    34.801484: "
      + "tlb_flush: pages:1 reason:x (3)\n\nmeans a flush.\nMore text.\nAnd more.\n"
    #expect(try recognise(document) == nil)
  }

  @Test func randomBytesAreNoTrace() throws {
    var seed: UInt64 = 1
    for _ in 0..<200 {
      let bytes = (0..<2000).map { _ -> UInt8 in
        seed = seed &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return UInt8(truncatingIfNeeded: seed >> 40)
      }
      #expect(try recognise(bytes) == nil)
    }
  }
}
