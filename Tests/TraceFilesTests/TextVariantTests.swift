import Testing
import TraceEvents

@testable import TraceFiles

/// Recorded texts, written in the many other ways that people and tools hand them on.
struct TextVariantTests {
  /// A way to hand on a text.
  struct Variant: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let change: @Sendable ([String]) -> [String]

    static func each(
      _ name: String, _ change: @escaping @Sendable (Int, String) -> String
    ) -> Variant {
      Variant(testDescription: name) { $0.enumerated().map { change($0.offset, $0.element) } }
    }
  }

  static let variants: [Variant] = [
    .each("grep -n") { "\($0 + 1):\($1)" },
    .each("grep, several files, -n") { "trace.txt:\($0 + 1):\($1)" },
    .each("cat -n") { "    \($0 + 1)\t\($1)" },
    .each("quoted") { "> \($1)" },
    .each("coloured line") { "\u{1b}[01;31m\u{1b}[K\($1)\u{1b}[m\u{1b}[K" },
    .each("carriage returns") { "\($1)\r" },
    .each("blank at the end") { "\($1)  " },
    Variant(testDescription: "byte order mark") { ["\u{feff}" + $0[0]] + $0.dropFirst() },
    Variant(testDescription: "coloured event") { lines in
      lines.map { line in
        guard let range = line.firstRange(of: "tlb_flush") else { return line }
        return line.replacingCharacters(of: range, with: "\u{1b}[01;31mtlb_flush\u{1b}[m\u{1b}[K")
      }
    },
    Variant(testDescription: "comments indented") { lines in
      lines.map { $0.hasPrefix("#") ? "   " + $0 : $0 }
    },
  ]

  static let texts = [
    "ft-a-one-default.txt.gz", "tcr-a-one-default.txt.gz", "ps-a-one-default.txt.gz",
  ]

  @Test(arguments: texts, variants)
  func decorationChangesNoRow(name: String, variant: Variant) throws {
    let bytes = try TextSamples.text(name)
    let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n").prefix(160)
    let plain = try TextResult(text: lines.joined(separator: "\n") + "\n")
    let changed = variant.change(lines.map(String.init))
    let result = try TextResult(text: changed.joined(separator: "\n") + "\n")
    #expect(plain.rows.count > 100)
    // A file's name stands where trace-cmd puts that of an instance, and is taken for one.
    let rows = result.rows.map { row in
      var row = row
      row.instance = 0
      return row
    }
    #expect(rows == plain.rows)
    #expect(result.statistics.count("unparsed-line") == 0)
  }

  @Test func reportOfOneColumnNames() throws {
    // trace-cmd 3.1 report of a file with two instances: names are right-aligned, and a mark of lost
    // events takes the prefix away from the event behind it.
    let result = try TextResult(
      text: """
        cpus=4
                         bash-12    [000]     1.000001: tlb_flush:            pages=1 reason= (4)
          b:             bash-12    [001]     1.000002: tlb_flush:            pages=2 reason= (4)
        abc: CPU:2 [17 EVENTS DROPPED]
                    bash-12    [002]     1.000003: tlb_flush:            pages=3 reason= (4)
             CPU:3 [EVENTS DROPPED]
                    bash-12    [003]     1.000004: tlb_flush:            pages=4 reason= (4)
        abc:             bash-12    [002]     1.000005: tlb_flush:            pages=5 reason= (4)

        """)
    #expect(result.facts.instances.map(\.name) == ["", "b", "abc"])
    let pages = (0..<3).map { instance in
      result.rows.filter { $0.instance == instance }.map { $0.words[TLBFlush.pages] }
    }
    #expect(pages == [["1", "4"], ["2"], ["3", "5"]])
    #expect(result.statistics.lost.known == 17)
    #expect(result.statistics.lost.unknownMarks == 1)
    #expect(result.statistics.findings.isEmpty)
  }

  /// Heads of one event, all of which say CPU 3.
  static let heads: [(String, UInt64)] = [
    ("bash-12         3-0x9     1.000004: ", 1_000_004_000),
    ("bash-12         3d..2.145906873482: ", 145_906_873_482),
    ("bash-12         3d..2. 2001.000004: ", 2_001_000_004_000),
    (" => ksys_x012345-12    [003]     1.000004: ", 1_000_004_000),
  ]

  @Test(arguments: heads) func reportHeads(head: String, time: UInt64) throws {
    let line = head + "tlb_flush:            pages=-1 reason=flush on task switch (0)\n"
    let result = try TextResult(text: "cpus=4\n" + line + line)
    #expect(result.rows.map(\.cpu) == [3, 3])
    #expect(result.rows.map(\.time) == [time, time])
    #expect(result.rows.first?.words[TLBFlush.pages] == "-1")
    #expect(result.statistics.findings.isEmpty)
  }

  /// Lines that say something about the report, and are no loss.
  static let notices = [
    "registering plugin: /usr/lib/traceevent/plugins/plugin_kmem.so", " PADDING: delta:1 length:28",
    " TIME EXTEND: delta:231503904 length:0", "Average wakeup latency: 283.253 usecs",
    "CPU:3 [SUBBUFFER START] [116801369668:0x15000]",
  ]

  @Test(arguments: notices) func reportNotices(notice: String) throws {
    let line =
      "            bash-12    [000]     1.000001: tlb_flush:            pages=1 reason= (4)\n"
    let result = try TextResult(text: "cpus=4\n" + line + notice + "\n" + line)
    #expect(result.rows.count == 2)
    #expect(result.statistics.findings.isEmpty)
  }

  /// What perf script prints beside the samples with one option or another.
  static let additions = [
    "PERF_RECORD_FINISHED_ROUND", "  [kernel.kallsyms][ffffffff810a9c23]", "  dl-reloc.c:364",
    "  syscall-template.S:117 (inlined)", " ilen: 0", " insn: 48 83 f8 25",
  ]

  @Test(arguments: additions) func perfAdditions(addition: String) throws {
    let line = "swapper     0 [002] disabled   145.339875: tlb:tlb_flush: pages:-1 reason:x (0)\n"
    let chain = "\tffffffff810a9c23 [unknown]\n"
    let result = try TextResult(text: line + chain + addition + "\n\n" + line + addition + "\n")
    #expect(result.rows.map(\.cpu) == [2, 2])
    #expect(result.statistics.findings.isEmpty)
  }
}

struct SnapshotVariantTests {
  @Test(arguments: ["\n", "\r\n"]) func anyLineEnd(lineEnd: String) throws {
    func snapshot(_ first: Int, _ second: Int) throws -> TemporaryFile {
      let lines = ["           CPU0       CPU2", "TLB: \(first) \(second)   TLB shootdowns", ""]
      return try TemporaryFile(lines.joined(separator: lineEnd))
    }
    let (before, after) = (try snapshot(4_294_967_290, 7), try snapshot(4, 9))
    let row = try InterruptSnapshot(after.path).tlbRow(since: InterruptSnapshot(before.path))
    #expect(row.perCPU == [10, 0, 2])
  }
}

extension String {
  fileprivate func replacingCharacters(
    of range: Range<String.Index>, with text: String
  ) -> String {
    var changed = self
    changed.replaceSubrange(range, with: text)
    return changed
  }
}
