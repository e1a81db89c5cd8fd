/// Reads /proc/kallsyms: `ffffffff8110b1f0 t flush_tlb_func`, of a module with `\t[module]` behind it.
///
/// Types T, W, D and B in either case count, as `symbol_type__filter` has it (tools/perf/util/symbol.c,
/// Linux 6.1); an upper-case type is global, W is weak.
struct KallsymsReader {
  private let name: String
  private var builder = SymbolTableBuilder()
  private var anchors = KernelAnchors()
  private var hasAddress = false

  static func read(_ bytes: [UInt8], _ name: String) throws(SymbolError)
    -> (SymbolTable, KernelAnchors)
  {
    guard !bytes.isEmpty else {
      throw SymbolError("is empty: expected kernel symbols", in: name, at: 0)
    }
    guard bytes[bytes.count - 1] == 0x0a else {
      throw SymbolError(
        "ends inside a line: expected a newline, the text is cut", in: name, at: bytes.count)
    }
    var reader = KallsymsReader(name: name)
    var failure: SymbolError?
    bytes.withUnsafeBytes { text in
      do throws(SymbolError) {
        try reader.takeLines(text)
      } catch {
        failure = error
      }
    }
    if let failure { throw failure }
    guard reader.hasAddress else {
      throw SymbolError(
        "has no addresses, all are 0: the reader of /proc/kallsyms lacked the right to see them "
          + "(kernel.kptr_restrict)", in: name, at: 0)
    }
    return (reader.builder.table(), reader.anchors)
  }

  private init(name: String) { self.name = name }

  private mutating func takeLines(_ text: UnsafeRawBufferPointer) throws(SymbolError) {
    var start = 0
    while start < text.count {
      let end = text[start...].firstIndex(of: 0x0a) ?? text.count
      try take(UnsafeRawBufferPointer(rebasing: text[start..<end]), at: start)
      start = end + 1
    }
  }

  private mutating func take(_ line: UnsafeRawBufferPointer, at offset: Int) throws(SymbolError) {
    var address: UInt64 = 0
    var at = 0
    while at < line.count, at < 16, let digit = Self.digit(line[at]) {
      address = address << 4 | UInt64(digit)
      at += 1
    }
    guard at == 16 || at == 8, line.count >= at + 4, line[at] == 0x20, line[at + 2] == 0x20 else {
      throw SymbolError(
        "expected a line like \"ffffffff8110b1f0 t flush_tlb_func\"", in: name, at: offset)
    }
    let type = line[at + 1]
    let rest = UnsafeRawBufferPointer(rebasing: line[(at + 3)...])
    guard !rest.contains(where: { $0 < 0x20 && $0 != 0x09 }) else {
      throw SymbolError("expected a symbol's name, found a control character", in: name, at: offset)
    }
    if address != 0 { hasAddress = true }
    guard [0x54, 0x57, 0x44, 0x42].contains(type & 0xdf), rest[0] != 0x24 else { return }
    try add(address, type, rest, at: offset)
  }

  private mutating func add(
    _ address: UInt64, _ type: UInt8, _ rest: UnsafeRawBufferPointer, at offset: Int
  ) throws(SymbolError) {
    let nameEnd = rest.firstIndex(of: 0x09) ?? rest.count
    let symbol = UnsafeRawBufferPointer(rebasing: rest[..<nameEnd])
    var module: UInt16 = 0
    if nameEnd < rest.count {
      let owner = UnsafeRawBufferPointer(rebasing: rest[(nameEnd + 1)...])
      guard owner.count > 2, owner[0] == 0x5b, owner[owner.count - 1] == 0x5d,
        let number = builder.module(UnsafeRawBufferPointer(rebasing: owner[1..<owner.count - 1]))
      else {
        throw SymbolError(
          "expected a module's name in brackets, and at most 65,535 modules", in: name, at: offset)
      }
      module = number
    } else {
      anchors.note(symbol, address)
    }
    let binding: SymbolTableBuilder.Binding =
      type == 0x57 ? .weak : type & 0x20 == 0 ? .global : .local
    guard builder.add(start: address, size: 0, binding: binding, name: symbol, module: module)
    else {
      throw SymbolError("has more than 4 GiB of symbol names", in: name, at: offset)
    }
  }

  private static func digit(_ byte: UInt8) -> UInt8? {
    switch byte {
    case 0x30...0x39: byte - 0x30
    case 0x61...0x66: byte - 0x57
    default: nil
    }
  }
}
