import CElf

#if canImport(Glibc)
  import Glibc
#endif

/// An ELF file opened by libelf; what its headers state is checked against the file before it is used.
///
/// Sections are read one by one, so that of a vmlinux with debugging information only the symbol
/// table is. Nothing is allocated beyond the file's own size, or 1032 times a compressed section's,
/// which is the most that deflate can do.
struct ELFFile: ~Copyable {
  /// A section as its header states it.
  struct Section {
    var number: Int
    var scn: OpaquePointer
    var header: GElf_Shdr
  }

  /// Larger sections, packed or not, are refused: the names' places are 32-bit numbers anyway.
  static let sectionBytesMax = 1 << 30

  let path: String
  let size: Int
  let header: GElf_Ehdr
  private let elf: OpaquePointer
  private let descriptor: Int32

  /// Opens `path`, which messages call `name`.
  init(_ path: String, as name: String) throws(SymbolError) {
    self.path = name
    // A FIFO in the place of a file must not block.
    let opened = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard opened >= 0 else {
      throw SymbolError("cannot be opened: \(String(cString: strerror(errno)))", in: name)
    }
    do throws(SymbolError) {
      (elf, header, size) = try Self.begin(opened, name)
    } catch {
      close(opened)
      throw error
    }
    descriptor = opened
  }

  deinit {
    elf_end(elf)
    close(descriptor)
  }

  private static func begin(_ descriptor: Int32, _ name: String) throws(SymbolError)
    -> (OpaquePointer, GElf_Ehdr, Int)
  {
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
      throw SymbolError("is no regular file: expected an ELF file", in: name)
    }
    let size = Int(status.st_size)
    elf_version(UInt32(EV_CURRENT))
    guard let elf = elf_begin(descriptor, ELF_C_READ, nil) else {
      throw SymbolError("is no ELF file: \(Self.reason)", in: name, at: 0)
    }
    do throws(SymbolError) {
      return (elf, try checkedHeader(elf, size, name), size)
    } catch {
      elf_end(elf)
      throw error
    }
  }

  private static func checkedHeader(_ elf: OpaquePointer, _ size: Int, _ name: String)
    throws(SymbolError) -> GElf_Ehdr
  {
    var header = GElf_Ehdr()
    guard elf_kind(elf) == ELF_K_ELF, gelf_getehdr(elf, &header) != nil else {
      throw SymbolError("is no ELF file: expected 7f 45 4c 46 and a whole header", in: name, at: 0)
    }
    guard header.e_ident.5 == UInt8(ELFDATA2LSB) else {
      throw SymbolError("expected a little-endian ELF file", in: name, at: 5)
    }
    guard Int32(header.e_type) == ET_EXEC || Int32(header.e_type) == ET_DYN else {
      throw SymbolError(
        "expected ELF type EXEC (2) or DYN (3), found \(header.e_type)", in: name, at: 16)
    }
    let is64 = header.e_ident.4 == UInt8(ELFCLASS64)
    var count = 0
    guard elf_getshdrnum(elf, &count) == 0, header.e_shoff <= UInt64(size),
      count <= (size - Int(header.e_shoff)) / (is64 ? 64 : 40)
    else {
      throw SymbolError(
        """
        expected section headers at byte \(header.e_shoff), the file has \(size) bytes: it is cut or \
        damaged
        """, in: name, at: is64 ? 40 : 32)
    }
    return header
  }

  /// libelf's word for what just went wrong.
  private static var reason: String {
    elf_errmsg(-1).map { String(cString: $0) } ?? "unknown reason"
  }

  var is64: Bool { header.e_ident.4 == UInt8(ELFCLASS64) }

  // MARK: Sections

  /// Calls `body` with each section until it returns false.
  func forEachSection(_ body: (Section) throws(SymbolError) -> Bool) throws(SymbolError) {
    var next = elf_nextscn(elf, nil)
    while let scn = next {
      if let section = section(scn), !(try body(section)) { return }
      next = elf_nextscn(elf, scn)
    }
  }

  /// The section `number`, nil if there is none.
  func section(_ number: Int) -> Section? {
    guard number > 0, let scn = elf_getscn(elf, number) else { return nil }
    return section(scn)
  }

  private func section(_ scn: OpaquePointer) -> Section? {
    var header = GElf_Shdr()
    guard gelf_getshdr(scn, &header) != nil else { return nil }
    return Section(number: elf_ndxscn(scn), scn: scn, header: header)
  }

  /// The section's name, empty if it has none.
  func name(_ section: Section) -> String {
    var strings = 0
    guard elf_getshdrstrndx(elf, &strings) == 0,
      let text = elf_strptr(elf, strings, Int(section.header.sh_name))
    else { return "" }
    return String(cString: text)
  }

  /// The section's content, unpacked; it lives as long as the file is open. `what` is for messages.
  func content(_ section: Section, _ what: String) throws(SymbolError) -> UnsafeRawBufferPointer {
    let header = section.header
    let at = Int(truncatingIfNeeded: header.sh_offset)
    guard header.sh_type != UInt32(SHT_NOBITS) else {
      throw SymbolError("expected \(what) in the file, its section has no bits", in: path, at: at)
    }
    guard header.sh_offset <= UInt64(size), header.sh_size <= UInt64(size) - header.sh_offset else {
      throw SymbolError(
        "expected \(what) of \(header.sh_size) bytes, the file ends at byte \(size)", in: path,
        at: Int(clamping: header.sh_offset))
    }
    if header.sh_flags & UInt64(SHF_COMPRESSED) != 0 { try unpack(section, what) }
    guard let data = elf_getdata(section.scn, nil) else {
      throw SymbolError("expected \(what): \(Self.reason)", in: path, at: at)
    }
    return UnsafeRawBufferPointer(start: data.pointee.d_buf, count: data.pointee.d_size)
  }

  private func unpack(_ section: Section, _ what: String) throws(SymbolError) {
    let at = Int(truncatingIfNeeded: section.header.sh_offset)
    var compression = GElf_Chdr()
    guard gelf_getchdr(section.scn, &compression) != nil else {
      throw SymbolError(
        "expected a compression header of \(what): \(Self.reason)", in: path, at: at)
    }
    let packed = section.header.sh_size
    guard compression.ch_size <= UInt64(Self.sectionBytesMax),
      compression.ch_size / 1032 <= packed
    else {
      throw SymbolError(
        "\(what) claims to unpack from \(packed) to \(compression.ch_size) bytes", in: path, at: at)
    }
    guard elf_compress(section.scn, 0, 0) >= 0 else {
      throw SymbolError(
        "\(what) cannot be unpacked (compression kind \(compression.ch_type)): \(Self.reason)",
        in: path, at: at)
    }
  }

  // MARK: Segments and notes

  /// The program headers.
  func segments() throws(SymbolError) -> [GElf_Phdr] {
    var count = 0
    guard elf_getphdrnum(elf, &count) == 0, header.e_phoff <= UInt64(size),
      count <= (size - Int(header.e_phoff)) / (is64 ? 56 : 32)
    else {
      throw SymbolError(
        "expected program headers at byte \(header.e_phoff), the file has \(size) bytes", in: path,
        at: is64 ? 32 : 28)
    }
    var segments: [GElf_Phdr] = []
    for index in 0..<count {
      var segment = GElf_Phdr()
      guard gelf_getphdr(elf, Int32(truncatingIfNeeded: index), &segment) != nil else {
        throw SymbolError(
          "expected program header \(index): \(Self.reason)", in: path, at: Int(header.e_phoff))
      }
      segments.append(segment)
    }
    return segments
  }

  /// The build id, nil if the file has none.
  func buildID() throws(SymbolError) -> BuildID? {
    var found: BuildID?
    try forEachSection { (section) throws(SymbolError) in
      guard section.header.sh_type == UInt32(SHT_NOTE) else { return true }
      found = Self.buildID(in: try content(section, "a note section"))
      return found == nil
    }
    return found
  }

  // A note: u32 name size, u32 content size, u32 type, name and content padded to 4 bytes each.
  private static func buildID(in notes: UnsafeRawBufferPointer) -> BuildID? {
    var at = 0
    while notes.count - at >= 12 {
      let nameSize = Int(notes.loadUnaligned(fromByteOffset: at, as: UInt32.self))
      let size = Int(notes.loadUnaligned(fromByteOffset: at + 4, as: UInt32.self))
      let type = notes.loadUnaligned(fromByteOffset: at + 8, as: UInt32.self)
      let content = at + 12 + (nameSize + 3) / 4 * 4
      guard content <= notes.count, size <= notes.count - content else { return nil }
      let name = notes[(at + 12)..<(at + 12 + nameSize)]
      if type == 3, name.elementsEqual([0x47, 0x4e, 0x55, 0]) {
        return BuildID(Array(notes[content..<content + size]))
      }
      at = content + (size + 3) / 4 * 4
    }
    return nil
  }
}
