import TraceEvents

#if canImport(Glibc)
  import Glibc
#endif

/// Brings bytes that cannot be mapped as they are into an unlinked temporary file that can.
enum Spool {
  /// Bytes decompressed to find out what a compressed file holds.
  static let headSize = 1 << 18

  /// A copy of everything that can be read from `descriptor`.
  static func copied(from descriptor: Int32) throws(TraceError) -> MappedFile {
    let target = try temporaryFile()
    defer { close(target) }
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 16)
    defer { buffer.deallocate() }
    while true {
      let got = read(descriptor, buffer.baseAddress, buffer.count)
      if got == 0 { break }
      if got < 0 {
        if errno == EINTR { continue }
        throw TraceError("cannot be read: \(String(cString: strerror(errno)))")
      }
      try write(UnsafeRawBufferPointer(rebasing: buffer[..<got]), to: target)
    }
    return try MappedFile(descriptor: target)
  }

  /// The first decompressed bytes of `input`.
  static func head(of input: ByteView, compression: Compression) throws(TraceError) -> OwnedBytes {
    let decompressor = try Decompressor(compression)
    let head = OwnedBytes(count: headSize)
    var consumed = 0
    var filled = 0
    while filled < headSize {
      let room = UnsafeMutableRawBufferPointer(rebasing: head.buffer[filled...])
      do {
        let step = try decompressor.step(input.suffix(from: consumed), into: room)
        consumed += step.consumed
        filled += step.produced
        if step.consumed == 0 && step.produced == 0 { break }
      } catch {
        // What came before the damage may be enough to go on with.
        if filled == 0 { throw TraceError(error.message, at: consumed) }
        break
      }
      if consumed >= input.count { break }
    }
    head.count = filled
    return head
  }

  /// All of `input`, decompressed; where it is damaged, what comes before the damage.
  static func decompressed(_ input: ByteView, compression: Compression) throws(TraceError)
    -> (MappedFile, TraceError?)
  {
    let decompressor = try Decompressor(compression)
    let target = try temporaryFile()
    defer { close(target) }
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 16)
    defer { buffer.deallocate() }
    var consumed = 0
    var ended = true
    var damage: TraceError?
    while true {
      let step: DecompressionStep
      do {
        step = try decompressor.step(input.suffix(from: consumed), into: buffer)
      } catch {
        damage = TraceError(error.message, at: consumed)
        break
      }
      consumed += step.consumed
      ended = step.frameEnded
      try write(UnsafeRawBufferPointer(rebasing: buffer[..<step.produced]), to: target)
      if consumed >= input.count && step.produced < buffer.count { break }
      if step.consumed == 0 && step.produced == 0 { break }
    }
    if damage == nil && !ended {
      damage = TraceError("the compressed data ends in the middle of a frame", at: consumed)
    }
    return (try MappedFile(descriptor: target), damage)
  }

  private static func write(_ bytes: UnsafeRawBufferPointer, to target: Int32) throws(TraceError) {
    var written = 0
    while written < bytes.count {
      let part = UnsafeRawBufferPointer(rebasing: bytes[written...])
      let got = Glibc.write(target, part.baseAddress, part.count)
      if got < 0 {
        if errno == EINTR { continue }
        throw TraceError(
          "cannot be copied to \(directory): \(String(cString: strerror(errno))) (TMPDIR names another place)"
        )
      }
      written += got
    }
  }

  private static var directory: String {
    guard let named = getenv("TMPDIR"), named.pointee != 0 else { return "/tmp" }
    return String(cString: named)
  }

  private static func temporaryFile() throws(TraceError) -> Int32 {
    // mkstemp(3) replaces the six letters.
    let letters = String(repeating: "X", count: 6)
    var template = Array("\(directory)/tlbreplay-\(letters)".utf8CString)
    let descriptor = mkstemp(&template)
    guard descriptor >= 0 else {
      throw TraceError(
        "cannot make a temporary file in \(directory): \(String(cString: strerror(errno)))")
    }
    unlink(template)
    return descriptor
  }
}

/// Bytes that belong to whoever holds this.
final class OwnedBytes {
  /// All of the memory.
  let buffer: UnsafeMutableRawBufferPointer
  /// How many bytes of it are in use.
  var count: Int

  init(count: Int) {
    buffer = .allocate(byteCount: max(count, 1), alignment: 16)
    self.count = count
  }

  deinit { buffer.deallocate() }

  /// The bytes in use.
  var bytes: ByteView {
    ByteView(start: UnsafeRawPointer(buffer.baseAddress.unsafelyUnwrapped), count: count)
  }
}
