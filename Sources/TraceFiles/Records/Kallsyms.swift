import TraceEvents

#if canImport(Glibc)
  import Glibc
#endif

/// Symbols of a kernel in the form of /proc/kallsyms: `ffffffff8110b1f0 t flush_tlb_func\n`.
struct Kallsyms {
  private let text: ByteView

  init(_ text: ByteView) { self.text = text }

  /// The address of a core-kernel symbol, nil if it is not there or hidden (all zeros).
  func address(of symbol: String) -> UInt64? {
    let name = Array(symbol.utf8)
    var start = 0
    while start < text.count {
      let left = text.count - start
      let found = memchr(text.start + start, 0x0a, left)
      let length = found.map { UnsafeRawPointer($0) - text.start - start } ?? left
      let line = ByteView(start: text.start + start, count: length)
      start += length + 1
      // 16 digits on a 64-bit kernel, 8 on a 32-bit one, then " t ".
      for digits in [16, 8] where length >= digits + 3 + name.count {
        guard line.u8(digits) == 0x20, line.suffix(from: digits + 3).hasPrefix(name) else {
          continue
        }
        // A module's symbol continues with a tab and the module's name.
        guard length == digits + 3 + name.count else { continue }
        let address = UInt64(ByteView(start: line.start, count: digits).text, radix: 16)
        return address == 0 ? nil : address
      }
    }
    return nil
  }
}
