import Testing
import TraceEvents

@testable import TraceFiles

/// Runs `body` on the bytes of `text`.
func withBytes<R>(_ text: String, _ body: (ByteView) throws -> R) rethrows -> R {
  try Array(text.utf8).withUnsafeBytes {
    try body(
      ByteView(
        start: $0.baseAddress ?? UnsafeRawPointer(bitPattern: 16).unsafelyUnwrapped, count: $0.count
      ))
  }
}

@Suite struct TracepointFormatTests {
  private let text = """
    name: sample
    ID: 412
    format:
    \tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;
    \tfield:int common_pid;\toffset:4;\tsize:4;\tsigned:1;

    \tfield:int reason;\toffset:8;\tsize:4;\tsigned:1;
    \tfield:unsigned long pages;\toffset:16;\tsize:8;\tsigned:0;
    \tfield:char comm[16];\toffset:24;\tsize:16;\tsigned:0;
    \tfield:__data_loc cpumask_t cpumask;\toffset:40;\tsize:4;\tsigned:0;
    \tfield:__data_loc char[] name;\toffset:44;\tsize:4;\tsigned:0;
    \tfield:unsigned long args[6];\toffset:48;\tsize:48;\tsigned:0;

    print fmt: "field:int fake;\toffset:1;\tsize:1;\tsigned:1;"
    """

  @Test func fieldsAreReadUpToThePrintFormat() throws {
    let format = try #require(withBytes(text) { TracepointFormat($0) })
    #expect(format.name == "sample")
    #expect(format.id == 412)
    #expect(
      format.fields.map(\.name) == [
        "common_type", "common_pid", "reason", "pages", "comm", "cpumask", "name", "args",
      ])
    #expect(format.field("pages")?.offset == 16)
    #expect(format.field("reason")?.isSigned == true)
    #expect(format.field("comm")?.isCharacterArray == true)
    #expect(format.field("cpumask")?.isDynamic == true)
    #expect(format.field("fake") == nil)
  }

  @Test(arguments: [
    "", "name: x\n", "ID: 4\n", "name: x\nID: -4\n", "name: x\nID: 99999999999999999999\n",
  ])
  func textsWithoutNameOrNumberAreNoFormats(_ text: String) {
    let format = withBytes(text) { TracepointFormat($0) }
    #expect(format == nil)
  }

  @Test func hostileOffsetsAreNoFields() {
    #expect(FormatField("\tfield:int x;\toffset:-8;\tsize:4;\tsigned:1;") == nil)
    #expect(FormatField("\tfield:int x;\toffset:99999999;\tsize:4;\tsigned:1;") == nil)
    #expect(FormatField("\tfield:int x;\tsize:4;\tsigned:1;") == nil)
  }

  @Test func kallsymsGivesExactSymbolsOnly() {
    let symbols = """
      ffffffff81000000 T flush_tlb_func_other
      ffffffff8110b1f0 t flush_tlb_func
      ffffffffc0001000 t helper\t[module]
      0000000000000000 T hidden
      """
    withBytes(symbols) { bytes in
      let table = Kallsyms(bytes)
      #expect(table.address(of: "flush_tlb_func") == 0xffff_ffff_8110_b1f0)
      #expect(table.address(of: "flush_tlb") == nil)
      #expect(table.address(of: "hidden") == nil)
      #expect(table.address(of: "helper") == nil)
    }
  }
}
