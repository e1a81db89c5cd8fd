import CZstdBaseline
import Glibc

/// Unpacks every chunk of a version 7 `trace.dat` and does nothing else: the floor under any reader.
///
/// Chunks: u32 count, then u32 packed size, u32 unpacked size, frame. Where they are stands in the
/// BUFFER options (id 3): u64 section, name NUL, clock NUL, u32 page size, u32 CPUs, then u32 CPU,
/// u64 offset, u64 size each. The file is one that this program has just written.
enum BareZstd {
  /// Unpacked bytes.
  static func unpack(_ path: String) throws -> Int {
    let descriptor = open(path, O_RDONLY)
    guard descriptor >= 0 else { throw BenchmarkError("cannot open \(path)") }
    defer { close(descriptor) }
    let size = Int(lseek(descriptor, 0, SEEK_END))
    guard let map = mmap(nil, size, PROT_READ, MAP_PRIVATE, descriptor, 0), map != MAP_FAILED else {
      throw BenchmarkError("cannot map \(path)")
    }
    defer { munmap(map, size) }
    let bytes = UnsafeRawBufferPointer(start: map, count: size)
    guard let context = ZSTD_createDCtx() else { throw BenchmarkError("zstd cannot start") }
    defer { ZSTD_freeDCtx(context) }
    let page = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 16)
    defer { page.deallocate() }
    var total = 0
    for start in bufferStarts(bytes) {
      var position = start + 4
      for _ in 0..<u32(bytes, start) {
        let packed = u32(bytes, position)
        let made = ZSTD_decompressDCtx(
          context, page.baseAddress, page.count, map + position + 8, packed)
        guard made == u32(bytes, position + 4) else { throw BenchmarkError("a chunk is damaged") }
        total += made
        position += 8 + packed
      }
    }
    return total
  }

  /// Where each CPU's chunks start.
  private static func bufferStarts(_ bytes: UnsafeRawBufferPointer) -> [Int] {
    var position = text(bytes, text(bytes, 18))
    var starts: [Int] = []
    var section = u64(bytes, position)
    while section != 0 {
      position = section + 16
      while u16(bytes, position) != 0 {
        if u16(bytes, position) == 3 {
          var field = text(bytes, text(bytes, position + 6 + 8)) + 4
          let cpus = u32(bytes, field)
          field += 4
          for cpu in 0..<cpus where u64(bytes, field + cpu * 20 + 12) > 0 {
            starts.append(u64(bytes, field + cpu * 20 + 4))
          }
        }
        position += 6 + u32(bytes, position + 2)
      }
      section = u64(bytes, position + 6)
    }
    return starts
  }

  /// Behind the NUL of the text at `position`.
  private static func text(_ bytes: UnsafeRawBufferPointer, _ position: Int) -> Int {
    (bytes[position...].firstIndex(of: 0) ?? position) + 1
  }

  private static func u16(_ bytes: UnsafeRawBufferPointer, _ position: Int) -> Int {
    Int(UInt16(littleEndian: bytes.loadUnaligned(fromByteOffset: position, as: UInt16.self)))
  }

  private static func u32(_ bytes: UnsafeRawBufferPointer, _ position: Int) -> Int {
    Int(UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: position, as: UInt32.self)))
  }

  private static func u64(_ bytes: UnsafeRawBufferPointer, _ position: Int) -> Int {
    Int(UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: position, as: UInt64.self)))
  }
}
