import CElf

/// The symbols of one ELF file: a program, a shared library, a vmlinux.
///
/// As `dso__load_sym` (tools/perf/util/symbol-elf.c, Linux 6.1) takes them: `.symtab`, or `.dynsym`
/// where that is stripped; functions, objects, and labels in sections of text or data.
public struct ELFSymbols: Sendable {
  /// A part of the file that is mapped: program header LOAD.
  public struct Segment: Sendable {
    /// Where it begins in the file, in bytes.
    public var offset: UInt64
    /// Its bytes in the file.
    public var size: UInt64
    /// Where it was linked to.
    public var address: UInt64
  }

  /// Symbols by the address that they were linked to.
  public let table: SymbolTable
  /// What is mapped.
  public let segments: [Segment]
  /// The file's build id.
  public let buildID: BuildID?
  /// `_text` and `_stext`, by which kernels are compared.
  let anchors: KernelAnchors

  /// Reads the file at `path`, which messages call `name`.
  ///
  /// - Parameters:
  ///   - expected: the build id that the trace has for it; nil if it has none.
  ///   - isForced: whether a file with another build id will do.
  /// - Throws: if it is no whole ELF file, or another one than was traced.
  public init(
    _ path: String, as name: String? = nil, buildID expected: BuildID? = nil, isForced: Bool = false
  ) throws(SymbolError) {
    let file = try ELFFile(path, as: name ?? path)
    buildID = try file.buildID()
    if let expected, !isForced, !(buildID?.matches(expected) ?? false) {
      throw SymbolError(
        """
        has \(buildID.map { "build id \($0)" } ?? "no build id"), the trace has \(expected): another \
        build, whose symbols would be wrong
        """, in: file.path)
    }
    segments = try file.segments().filter { $0.p_type == UInt32(PT_LOAD) }.map {
      Segment(offset: $0.p_offset, size: $0.p_filesz, address: $0.p_vaddr)
    }
    (table, anchors) = try SymbolSectionReader.read(file)
  }

  /// The linked address of what stands at `offset` in the file, nil if it is not mapped.
  public func address(ofFileOffset offset: UInt64) -> UInt64? {
    for segment in segments where offset >= segment.offset {
      if offset - segment.offset < segment.size {
        return segment.address &+ (offset - segment.offset)
      }
    }
    return nil
  }
}

/// Reads the symbol section of an ELF file.
///
///     Elf64_Sym  0 u32 name, 4 u8 info, 5 u8 other, 6 u16 section, 8 u64 value, 16 u64 size
///     Elf32_Sym  0 u32 name, 4 u32 value, 8 u32 size, 12 u8 info, 13 u8 other, 14 u16 section
private struct SymbolSectionReader {
  private struct Symbol {
    var name: Int
    var type: UInt8
    var binding: UInt8
    var visibility: UInt8
    var section: UInt16
    var value: UInt64
    var size: UInt64
  }

  private var builder = SymbolTableBuilder()
  private var anchors = KernelAnchors()
  /// Whether labels of a section count; nil where that is not known yet.
  private var labelSections: [UInt16: Bool] = [:]
  private var sectionEnds: [UInt16: UInt64] = [:]

  static func read(_ file: borrowing ELFFile) throws(SymbolError) -> (SymbolTable, KernelAnchors) {
    var chosen: ELFFile.Section?
    try file.forEachSection { (section) throws(SymbolError) in
      if section.header.sh_type == UInt32(SHT_SYMTAB) {
        chosen = section
        return false
      }
      if section.header.sh_type == UInt32(SHT_DYNSYM), chosen == nil { chosen = section }
      return true
    }
    guard let section = chosen else {
      throw SymbolError("has no symbol table: expected .symtab or .dynsym", in: file.path)
    }
    var reader = SymbolSectionReader()
    try reader.take(section, of: file)
    return (reader.builder.table(), reader.anchors)
  }

  private mutating func take(_ section: ELFFile.Section, of file: borrowing ELFFile)
    throws(SymbolError)
  {
    let at = Int(clamping: section.header.sh_offset)
    let symbols = try file.content(section, "the symbol table")
    guard let linked = file.section(Int(section.header.sh_link)),
      linked.header.sh_type == UInt32(SHT_STRTAB)
    else {
      throw SymbolError(
        "expected the symbols' names in section \(section.header.sh_link), it is no string table",
        in: file.path, at: at)
    }
    let names = try file.content(linked, "the symbols' names")
    let size = file.is64 ? 24 : 16
    guard symbols.count % size == 0, section.header.sh_entsize == UInt64(size) else {
      throw SymbolError(
        "expected symbols of \(size) bytes, found \(symbols.count) bytes in all, "
          + "\(section.header.sh_entsize) each", in: file.path, at: at)
    }
    for offset in stride(from: 0, to: symbols.count, by: size) {
      let symbol = Self.load(symbols, offset, file.is64)
      guard isWanted(symbol, file) else { continue }
      guard symbol.name < names.count,
        let end = names[symbol.name...].prefix(SymbolTableBuilder.nameLengthMax + 1)
          .firstIndex(of: 0)
      else {
        throw SymbolError(
          "symbol \(offset / size) has its name at \(symbol.name), the names have \(names.count) "
            + "bytes, or it does not end", in: file.path, at: at + offset)
      }
      let name = UnsafeRawBufferPointer(rebasing: names[symbol.name..<end])
      let limit = symbol.size == 0 ? self.end(ofSection: symbol.section, file) : .max
      try add(symbol, name, limit, at: at + offset, file.path)
    }
  }

  private mutating func add(
    _ symbol: Symbol, _ name: UnsafeRawBufferPointer, _ limit: UInt64, at offset: Int,
    _ path: String
  ) throws(SymbolError) {
    anchors.note(name, symbol.value)
    let binding: SymbolTableBuilder.Binding =
      switch Int32(symbol.binding) {
      case STB_GLOBAL: .global
      case STB_WEAK: .weak
      default: .local
      }
    guard
      builder.add(
        start: symbol.value, size: symbol.size, binding: binding, name: name, limit: limit)
    else {
      throw SymbolError("has more than 4 GiB of symbol names", in: path, at: offset)
    }
  }

  private static func load(_ bytes: UnsafeRawBufferPointer, _ at: Int, _ is64: Bool) -> Symbol {
    func u32(_ offset: Int) -> UInt32 {
      bytes.loadUnaligned(fromByteOffset: at + offset, as: UInt32.self)
    }
    func u64(_ offset: Int) -> UInt64 {
      bytes.loadUnaligned(fromByteOffset: at + offset, as: UInt64.self)
    }
    let info = at + (is64 ? 4 : 12)
    return Symbol(
      name: Int(u32(0)), type: bytes[info] & 0xf, binding: bytes[info] >> 4,
      visibility: bytes[info + 1] & 3,
      section: bytes.loadUnaligned(fromByteOffset: info + 2, as: UInt16.self),
      value: is64 ? u64(8) : UInt64(u32(4)), size: is64 ? u64(16) : UInt64(u32(8)))
  }

  // perf lets a symbol without a size reach up to the next one, and so calls stubs in .plt by the last
  // function of .init; where a section ends, so do its symbols.
  private mutating func end(ofSection number: UInt16, _ file: borrowing ELFFile) -> UInt64 {
    if let known = sectionEnds[number] { return known }
    var end = UInt64.max
    if let header = file.section(Int(number))?.header, header.sh_addr != 0, header.sh_size != 0 {
      let (sum, overflow) = header.sh_addr.addingReportingOverflow(header.sh_size)
      if !overflow { end = sum }
    }
    sectionEnds[number] = end
    return end
  }

  // `elf_sym__filter` and `elf_sym__is_label`.
  private mutating func isWanted(_ symbol: Symbol, _ file: borrowing ELFFile) -> Bool {
    guard symbol.name != 0, Int32(symbol.section) != SHN_UNDEF else { return false }
    switch Int32(symbol.type) {
    case STT_FUNC, STT_GNU_IFUNC, STT_OBJECT: return true
    case STT_NOTYPE:
      guard Int32(symbol.section) != SHN_ABS,
        Int32(symbol.visibility) != STV_HIDDEN, Int32(symbol.visibility) != STV_INTERNAL
      else { return false }
      if let known = labelSections[symbol.section] { return known }
      let name = file.section(Int(symbol.section)).map { file.name($0) } ?? ""
      let counts = name.contains("text") || name.contains("data")
      labelSections[symbol.section] = counts
      return counts
    default: return false
    }
  }
}
