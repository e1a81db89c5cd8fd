import Foundation
import Testing
import TraceBuilding

@testable import Symbols

/// Cut and altered files: read, or refused with a place and an expectation; never anything else.
struct HostileSymbolFileTests {
  /// What became of a file: its symbols, or -1 if it was refused.
  private func symbols(_ bytes: [UInt8], _ sourceLocation: SourceLocation = #_sourceLocation) throws
    -> Int
  {
    try SymbolFixture.withFile(bytes) { path in
      do throws(SymbolError) {
        let file = try ELFSymbols(path, as: "hostile")
        // No more symbols than the file has room for.
        #expect(file.table.count <= bytes.count / 16, sourceLocation: sourceLocation)
        for index in 0..<file.table.count {
          _ = file.table.name(index)
          _ = file.table.place(of: file.table.start(index))
        }
        for offset in stride(from: UInt64(0), to: UInt64(bytes.count), by: 97) {
          _ = file.address(ofFileOffset: offset)
        }
        return file.table.count
      } catch {
        #expect(error.file == "hostile" && !error.message.isEmpty, sourceLocation: sourceLocation)
        return -1
      }
    }
  }

  private func u64(_ bytes: [UInt8], _ at: Int) -> Int {
    Int((0..<8).reduce(UInt64(0)) { $0 | UInt64(bytes[at + $1]) << UInt64(8 * $1) })
  }

  private func put(_ bytes: inout [UInt8], _ at: Int, _ value: UInt64, _ length: Int = 8) {
    for index in 0..<length {
      bytes[at + index] = UInt8(truncatingIfNeeded: value >> UInt64(8 * index))
    }
  }

  /// Where section headers begin, and the sections' numbers, types and ranges.
  private func sections(_ bytes: [UInt8]) -> [(header: Int, type: UInt8, range: Range<Int>)] {
    let start = u64(bytes, 40)
    let count = Int(bytes[60]) | Int(bytes[61]) << 8
    return (0..<count).map {
      let header = start + 64 * $0
      let offset = u64(bytes, header + 24)
      return (header, bytes[header + 4], offset..<offset + u64(bytes, header + 32))
    }
  }

  @Test(arguments: ["fx", "vmlinux-a.symtab.elf"])
  func filesCutAtEveryBorderAreRefused(_ name: String) throws {
    let bytes = try SymbolFixture.bytes(name)
    #expect(try symbols(bytes) > 20)
    var cuts: Set<Int> = [0, 1, 4, 5, 16, 63, 64, bytes.count - 1, bytes.count - 64]
    for section in sections(bytes) {
      for border in [section.header, section.range.lowerBound, section.range.upperBound] {
        cuts.formUnion([border - 1, border, border + 1])
      }
    }
    for cut in cuts where cut >= 0 && cut < bytes.count {
      // The section headers stand at the end of both: without them there is nothing to be had.
      #expect(try symbols(Array(bytes[..<cut])) == -1, "cut at \(cut)")
    }
  }

  @Test(arguments: ["fx", "vmlinux-a.symtab.elf"])
  func alteredFilesNeverCrash(_ name: String) throws {
    let bytes = try SymbolFixture.bytes(name)
    var random = SplitMix64(seed: 0x5e1f)
    // Where an altered byte matters: the headers and the symbol table.
    let places =
      [0..<64, 64..<400, u64(bytes, 40)..<bytes.count]
      + sections(bytes).filter { $0.type == 2 }.map { $0.range }
    var refused = 0
    for round in 0..<1500 {
      var altered = bytes
      let place = places[round % places.count]
      for _ in 0..<Int.random(in: 1...6, using: &random) {
        altered[Int.random(in: place, using: &random)] = UInt8.random(in: 0...255, using: &random)
      }
      if try symbols(altered) < 0 { refused += 1 }
    }
    #expect(refused > 100 && refused < 1400)
  }

  @Test(arguments: ["fx", "vmlinux-a.symtab.elf"])
  func hugeNumbersInHeadersAreRefusedOrHarmless(_ name: String) throws {
    let bytes = try SymbolFixture.bytes(name)
    let values: [UInt64] = [.max, .max / 2, 1 << 63, 1 << 40, UInt64(bytes.count), 0]
    for value in values {
      for field in [32, 40] {
        var altered = bytes
        put(&altered, field, value)
        _ = try symbols(altered)
      }
      for section in sections(bytes) {
        for field in [8, 16, 24, 32, 56] {
          var altered = bytes
          put(&altered, section.header + field, value)
          _ = try symbols(altered)
        }
      }
    }
    for field in [54, 56, 58, 60, 62] {
      var altered = bytes
      put(&altered, field, 0xffff, 2)
      _ = try symbols(altered)
    }
  }

  // MARK: Compressed sections

  /// `vmlinux-a.symtab.elf` with its symbol table compressed: zlib with stored blocks, at the end.
  private func compressed() throws -> (bytes: [UInt8], header: Int, chdr: Int) {
    var bytes = try SymbolFixture.bytes("vmlinux-a.symtab.elf")
    let section = try #require(sections(bytes).first { $0.type == 2 })
    let content = Array(bytes[section.range])
    let at = bytes.count
    bytes += [UInt8](repeating: 0, count: 24) + [0x78, 0x01]
    put(&bytes, at, 1, 4)
    put(&bytes, at + 8, UInt64(content.count))
    put(&bytes, at + 16, 8)
    #expect(content.count < 65_536)
    let count = UInt16(content.count)
    for byte in [1, UInt8(count & 255), UInt8(count >> 8)] { bytes.append(byte) }
    bytes += [UInt8(~count & 255), UInt8(~count >> 8)] + content
    var (a, b): (UInt32, UInt32) = (1, 0)
    for byte in content {
      a = (a + UInt32(byte)) % 65_521
      b = (b + a) % 65_521
    }
    let sum = b << 16 | a
    bytes += [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: sum >> $0) }
    put(&bytes, section.header + 8, 0x800)
    put(&bytes, section.header + 24, UInt64(at))
    put(&bytes, section.header + 32, UInt64(bytes.count - at))
    return (bytes, section.header, at)
  }

  @Test func compressedSymbolTableIsRead() throws {
    let plain = try symbols(try SymbolFixture.bytes("vmlinux-a.symtab.elf"))
    let (bytes, _, _) = try compressed()
    #expect(try symbols(bytes) == plain)
  }

  @Test func compressedSymbolTableThatClaimsTooMuchIsRefused() throws {
    let (bytes, header, chdr) = try compressed()
    for size: UInt64 in [.max, 1 << 40, 1 << 30, 1 << 26, 1, 0] {
      var altered = bytes
      put(&altered, chdr + 8, size)
      #expect(try symbols(altered) == -1, "\(size)")
    }
    for kind: UInt64 in [0, 2, 3, 0xffff_ffff] {
      var altered = bytes
      put(&altered, chdr, kind, 4)
      #expect(try symbols(altered) == -1, "\(kind)")
    }
    var short = bytes
    put(&short, header + 32, 10)
    #expect(try symbols(short) == -1)
    var random = SplitMix64(seed: 11)
    for _ in 0..<300 {
      var altered = bytes
      altered[Int.random(in: chdr..<chdr + 600, using: &random)] ^=
        1
        << UInt8.random(
          in: 0...7, using: &random)
      _ = try symbols(altered)
    }
  }

  // MARK: Other files

  @Test func whatIsNoFileIsRefused() {
    for path in ["/dev/null", "/", "/no/such/file"] {
      #expect(throws: SymbolError.self) { try ELFSymbols(path) }
    }
    #expect(throws: SymbolError.self) { try KernelSymbols(kallsymsFile: "/") }
    #expect(throws: SymbolError.self) { try KernelSymbols(kallsymsFile: "/dev/null") }
  }

  @Test func alteredKallsymsNeverCrash() throws {
    let bytes = Array(try SymbolFixture.kallsyms().prefix(20_000))
    var random = SplitMix64(seed: 4)
    for _ in 0..<300 {
      var altered = Array(bytes.prefix(Int.random(in: 0...bytes.count, using: &random)))
      for _ in 0..<Int.random(in: 0...4, using: &random) where !altered.isEmpty {
        altered[Int.random(in: altered.indices, using: &random)] = UInt8.random(
          in: 0...255, using: &random)
      }
      do throws(SymbolError) {
        let kernel = try KernelSymbols(kallsyms: altered, from: "hostile")
        _ = kernel.symbol(at: .random(in: 0 ... .max, using: &random))
      } catch {
        #expect(error.offset.map { $0 <= altered.count } == true)
      }
    }
  }

  @Test func namesInTracesDoNotLeadOutOfTheRoot() throws {
    try SymbolFixture.withRoot { root in
      var programs = UserSymbols(root: root + "/usr")
      for path in ["/../usr/bin/fx", "//anon", "[vdso]", "", "/bin/fx\0", "/bin", "/bin/none"] {
        let symbol = try? programs.symbol(path: path, buildID: nil, fileOffset: 0x1580)
        #expect(symbol == nil, "\(path)")
      }
      let main = try programs.symbol(path: "/bin/fx", buildID: nil, fileOffset: 0x1589)
      #expect(main == UserSymbol(name: "main", offset: 9))
      // Stubs in .plt have no symbols, and are not those of .init before them.
      let stub = try programs.symbol(path: "/bin/fx", buildID: nil, fileOffset: 0x1040)
      #expect(stub == nil)
    }
  }
}
