import TraceEvents

/// The text of a file, decompressed where it is compressed, window by window.
///
/// A window is a run of whole lines (the last line of the input may lack its end). The text passes
/// through a buffer of ``bufferSize`` bytes: what does not end in a line yet moves to the front and
/// more is read behind it.
struct TextInput {
  /// Bytes of text held at once; no line may be longer than that.
  static let bufferSize = 512 << 10

  /// Offset of the current window in the decompressed text.
  private(set) var windowOffset = 0
  /// Damage that ended the text early: decompressed text before it has been handed out.
  private(set) var damage: TraceError?

  private let file: MappedFile
  private let compression: Compression?
  private let stream: BufferedText

  init(_ file: MappedFile, compression: Compression?) throws(TraceError) {
    self.file = file
    self.compression = compression
    stream = try BufferedText(file, compression: compression)
  }

  /// The same text from its beginning.
  func restarted() throws(TraceError) -> TextInput {
    try TextInput(file, compression: compression)
  }

  /// Bytes of the file that have been read so far.
  var bytesTaken: Int { stream.inputOffset }

  /// The next window, nil at the end. The previous window's bytes are no longer valid afterwards.
  mutating func nextWindow() -> ByteView? {
    guard let window = stream.next() else { return nil }
    windowOffset = stream.windowOffset
    damage = stream.damage
    return window
  }
}

/// The buffer behind a ``TextInput``. A class because it owns memory.
private final class BufferedText {
  private let file: MappedFile
  private let input: ByteView
  private let decompressor: Decompressor?
  private let buffer: UnsafeMutableRawBufferPointer
  private(set) var inputOffset = 0
  private var filled = 0
  private var handedOut = 0
  private var ended = false
  private(set) var windowOffset = 0
  private(set) var damage: TraceError?

  init(_ file: MappedFile, compression: Compression?) throws(TraceError) {
    self.file = file
    input = file.bytes
    decompressor = try compression.map { kind throws(TraceError) in try Decompressor(kind) }
    buffer = .allocate(byteCount: TextInput.bufferSize, alignment: 16)
  }

  deinit { buffer.deallocate() }

  func next() -> ByteView? {
    guard let base = buffer.baseAddress else { return nil }
    // What was handed out is gone; the unfinished line behind it moves to the front.
    windowOffset += handedOut
    let rest = filled - handedOut
    if rest > 0 { base.copyMemory(from: base + handedOut, byteCount: rest) }
    filled = rest
    handedOut = 0
    fill(base)
    if filled == 0 { return nil }
    let whole = ended ? filled : lastLineEnd(base)
    // A line longer than the buffer is handed out in pieces: the grammar will not match them.
    handedOut = whole == 0 ? filled : whole
    return ByteView(start: UnsafeRawPointer(base), count: handedOut)
  }

  private func fill(_ base: UnsafeMutableRawPointer) {
    guard let decompressor else { return copy(base) }
    while !ended, filled < buffer.count {
      let source = input.suffix(from: inputOffset)
      if frameEnded, inputOffset > 0, isPadding(source) {
        ended = true
        return
      }
      if source.count == 0 {
        ended = true
        if !frameEnded {
          damage = TraceError("the compressed data ends in the middle of a frame", at: inputOffset)
        }
        return
      }
      let room = UnsafeMutableRawBufferPointer(start: base + filled, count: buffer.count - filled)
      do {
        let step = try decompressor.step(source, into: room)
        inputOffset += step.consumed
        filled += step.produced
        frameEnded = step.frameEnded
        if step.consumed == 0 && step.produced == 0 {
          ended = true
          damage = TraceError("the decompressor makes no progress", at: inputOffset)
        }
      } catch {
        ended = true
        damage = TraceError(error.message, at: inputOffset)
      }
    }
  }

  private func copy(_ base: UnsafeMutableRawPointer) {
    let room = UnsafeMutableRawBufferPointer(rebasing: buffer[filled...])
    do {
      let copied = try file.copy(inputOffset, room.count, into: room)
      inputOffset += copied
      filled += copied
      ended = copied < room.count
    } catch {
      ended = true
      damage = TraceError(error.message, at: error.offset)
    }
  }

  private var frameEnded = true

  /// Whether nothing but zeros is left: tapes and block devices leave them, gzip ignores them.
  private func isPadding(_ source: ByteView) -> Bool {
    source.count > 0 && (0..<source.count).allSatisfy { source.u8($0) == 0 }
  }

  private func lastLineEnd(_ base: UnsafeMutableRawPointer) -> Int {
    var end = filled
    while end > 0 {
      if base.load(fromByteOffset: end - 1, as: UInt8.self) == 0x0a { return end }
      end -= 1
    }
    return 0
  }
}
