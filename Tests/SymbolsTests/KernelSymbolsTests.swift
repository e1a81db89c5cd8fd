import Testing
import TraceEvents

@testable import Symbols

struct KernelSymbolsTests {
  private static let buildID = BuildID(hexadecimal: "7f76f39faf07f34cfa9fadd801e131bfa8cb6dc3")

  private func kernel(_ text: String) throws -> KernelSymbols {
    try KernelSymbols(kallsyms: Array(text.utf8), from: "kallsyms")
  }

  @Test func modulesLieByThemselves() throws {
    let kernel = try kernel(
      """
      ffffffff81000000 T _text
      ffffffff81000000 T _stext
      ffffffff81000100 t flush_tlb_func
      ffffffff81000200 r no_code
      ffffffffc0401010 t probe\t[virtio_blk]
      ffffffffc0401080 t remove\t[virtio_blk]
      ffffffffc0500000 t first\t[other]

      """)
    #expect(
      kernel.symbol(at: 0xffff_ffff_c040_1018)
        == KernelSymbol(name: "probe", module: "virtio_blk", offset: 8))
    #expect(kernel.symbol(at: 0xffff_ffff_8100_0210)?.offset == 0x110)
    // Up to the page behind the last symbol of a part, and no further.
    #expect(kernel.symbol(at: 0xffff_ffff_8100_1fff)?.name == "flush_tlb_func")
    #expect(kernel.symbol(at: 0xffff_ffff_8100_2000) == nil)
    #expect(kernel.symbol(at: 0xffff_ffff_c040_2fff)?.name == "remove")
    #expect(kernel.symbol(at: 0xffff_ffff_c040_3000) == nil)
    #expect(kernel.symbol(at: 0) == nil)
  }

  @Test func functionsOfCsdEventsHaveNames() throws {
    let kernel = try KernelSymbols(kallsyms: SymbolFixture.kallsyms(), from: "kallsyms")
    let directory = EventDirectory()
    #expect(kernel.functionName(0xffff_ffff_810a_9e20, in: directory) == "flush_tlb_func")
    #expect(kernel.functionName(0xffff_ffff_810a_9e21, in: directory) == "flush_tlb_func+0x1")
    #expect(kernel.functionName(0xffff_8880_0000_0000, in: directory) == "0xffff888000000000")
    let word = FunctionName.encode("remote_function", in: directory)
    #expect(kernel.functionName(word, in: directory) == "remote_function")
  }

  @Test func vmlinuxSaysTheSameAsKallsyms() throws {
    let path = SymbolFixture.path("vmlinux-a.symtab.elf")
    let image = try KernelSymbols(vmlinux: path, buildID: Self.buildID)
    let kallsyms = try KernelSymbols(kallsyms: SymbolFixture.kallsyms(), from: "kallsyms")
    let table = try ELFSymbols(path).table
    #expect(table.count > 300)
    let different = (0..<table.count).map { table.start($0) }
      .filter { image.symbol(at: $0) != kallsyms.symbol(at: $0) }
    // Several symbols begin at each of them. In kallsyms, which has no sizes, only the last one has
    // bytes of its own; in the symbol table all have, and the longest name is taken.
    // The last is _etext, which the shortened kallsyms lacks.
    #expect(
      different == [
        0xffff_ffff_8100_0000, 0xffff_ffff_8100_a0f0, 0xffff_ffff_810d_a500, 0xffff_ffff_8200_0000,
      ])
    #expect(kallsyms.symbol(at: 0xffff_ffff_8100_a0f0)?.name == "__pfx___x64_sys_ni_syscall")
    #expect(image.symbol(at: 0xffff_ffff_8100_a0f0)?.name == "__pfx___ia32_sys_ni_syscall")
  }

  /// Every address of the kernel's text at which several symbols begin, as perf script names it.
  @Test func aliasesAreThoseOfPerfScript() throws {
    let kernel = try KernelSymbols(kallsyms: SymbolFixture.kallsyms(), from: "kallsyms")
    let text = try SymbolFixture.unpacked(SymbolFixture.path("aliases.txt.gz"))
    let lines = String(decoding: text, as: UTF8.self).split(separator: "\n")
    #expect(lines.count == 92)
    for line in lines {
      let words = line.split(separator: " ")
      let address = try #require(UInt64(words[0], radix: 16))
      let symbol = try #require(kernel.symbol(at: address))
      #expect("\(symbol.name)+0x\(symbol.offset)" == words[1])
    }
  }

  @Test func vmlinuxOfAnotherBuildIsRefusedUnlessForced() throws {
    let path = SymbolFixture.path("vmlinux-a.symtab.elf")
    let other = BuildID(hexadecimal: "e748a1c4286533c1509b4f704157aa0642784289")
    let error = #expect(throws: SymbolError.self) {
      try KernelSymbols(vmlinux: path, buildID: other)
    }
    #expect(error?.file == path)
    #expect(error?.message.contains("7f76f39faf07f34cfa9fadd801e131bfa8cb6dc3") == true)
    #expect(error?.message.contains("e748a1c4286533c1509b4f704157aa0642784289") == true)
    let forced = try KernelSymbols(vmlinux: path, buildID: other, isForced: true)
    #expect(forced.symbol(at: 0xffff_ffff_810a_9e20)?.name == "flush_tlb_func")
  }

  @Test func kernelIsMovedByItsAnchor() throws {
    let path = SymbolFixture.path("vmlinux-a.symtab.elf")
    let slide: UInt64 = 0x1860_0000
    var image = try KernelSymbols(vmlinux: path, buildID: nil)
    let hasMoved = image.move("_text", to: 0xffff_ffff_8100_0000 + slide)
    #expect(hasMoved)
    #expect(image.symbol(at: 0xffff_ffff_810a_9e24 + slide)?.name == "flush_tlb_func")
    #expect(image.symbol(at: 0xffff_ffff_810a_9e24) == nil)
    let knowsOther = image.move("startup_64", to: 0)
    #expect(!knowsOther)

    var both = try kernel(
      "ffffffff99600000 T _stext\nffffffff99800000 T f\nffffffffc0401010 t probe\t[virtio_blk]\n")
    try both.use(vmlinux: path, buildID: nil)
    #expect(both.symbol(at: 0xffff_ffff_810a_9e24 + slide)?.name == "flush_tlb_func")
    #expect(both.symbol(at: 0xffff_ffff_c040_1010)?.module == "virtio_blk")
    // Of another boot: the modules may be anywhere.
    let movesBoth = both.move("_stext", to: 0xffff_ffff_8100_0000)
    #expect(movesBoth)
    #expect(both.symbol(at: 0xffff_ffff_810a_9e24)?.name == "flush_tlb_func")
    #expect(both.symbol(at: 0xffff_ffff_c040_1010) == nil)
    #expect(both.symbol(at: 0xffff_ffff_c040_1010 &- slide) == nil)
  }

  @Test(arguments: [
    ("", 0, "empty"), ("ffffffff81000000 T _te", 22, "newline"),
    ("ffffffff81000000 T a\nffffffff8100\n", 21, "line like"),
    ("ffffffff81000000 T \n", 0, "line like"), ("\n", 0, "line like"),
    ("ffffffff81000000 T a\0b\n", 0, "control"), ("ffffffff81000000 T a\tb\n", 0, "brackets"),
    ("0000000000000000 T a\n0000000000000000 t b\n", 0, "kptr_restrict"),
    ("fffffffff81000000 T a\n", 0, "line like"), ("\u{7f}ELF\n", 0, "line like"),
  ])
  func brokenKallsymsAreRefused(_ text: String, _ offset: Int, _ reason: String) {
    let error = #expect(throws: SymbolError.self) { try kernel(text) }
    #expect(error?.file == "kallsyms")
    #expect(error?.offset == offset)
    #expect(error?.message.contains(reason) == true)
  }
}
