import Glibc

/// A file that is written front to back, with places left open that are filled in later.
///
/// Memory: one buffer of a megabyte, whatever the length of the file.
struct FileSink: ~Copyable {
  private static let bufferSize = 1 << 20

  let path: String
  private let descriptor: Int32
  private let buffer: UnsafeMutableRawBufferPointer
  /// Whether bytes go out in their order only, as into a pipe; then nothing can be filled in later.
  private let isSequential: Bool
  private var packer: TextPacker?
  private var buffered = 0
  /// Bytes that left the buffer.
  private var flushed: UInt64 = 0

  /// Creates or empties the file.
  init(path: String) throws(TraceWriteError) {
    let descriptor = open(path, O_CREAT | O_TRUNC | O_RDWR | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw TraceWriteError("open", path: path, code: errno) }
    self.path = path
    self.descriptor = descriptor
    isSequential = false
    buffer = .allocate(byteCount: Self.bufferSize, alignment: 16)
  }

  /// A file, or with `-` standard output, that is written in order, maybe packed.
  init(sequential path: String, packing: TextPacking) throws(TraceWriteError) {
    let descriptor =
      path == "-"
      ? dup(STDOUT_FILENO) : open(path, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0o644)
    let name = path == "-" ? "standard output" : path
    guard descriptor >= 0 else { throw TraceWriteError("open", path: name, code: errno) }
    self.path = name
    self.descriptor = descriptor
    isSequential = true
    packer = packing == .none ? nil : TextPacker(packing)
    buffer = .allocate(byteCount: Self.bufferSize, alignment: 16)
  }

  deinit {
    buffer.deallocate()
    close(descriptor)
  }

  /// Where the next byte goes.
  var offset: UInt64 { flushed + UInt64(buffered) }

  mutating func write(_ bytes: UnsafeRawBufferPointer) throws(TraceWriteError) {
    if buffered + bytes.count > buffer.count { try flush() }
    if bytes.count > buffer.count {
      // Longer than any line: only whole structures of a binary trace are.
      precondition(packer == nil, "a line is longer than the buffer")
      try writeOut(bytes, at: flushed)
      flushed += UInt64(bytes.count)
      return
    }
    UnsafeMutableRawBufferPointer(rebasing: buffer[buffered...]).copyMemory(from: bytes)
    buffered += bytes.count
  }

  mutating func write(_ bytes: [UInt8]) throws(TraceWriteError) {
    try bytes.withUnsafeBufferPointer { all throws(TraceWriteError) in
      try write(UnsafeRawBufferPointer(all))
    }
  }

  /// The text's UTF-8 bytes, without an end mark.
  mutating func write(_ text: String) throws(TraceWriteError) { try write(Array(text.utf8)) }

  /// `value`, little-endian.
  mutating func write(_ value: some FixedWidthInteger) throws(TraceWriteError) {
    try withUnsafeBytes(of: value.littleEndian) { raw throws(TraceWriteError) in try write(raw) }
  }

  /// Zeros up to the next multiple of `alignment`.
  mutating func align(to alignment: Int) throws(TraceWriteError) {
    let rest = Int(offset % UInt64(alignment))
    if rest != 0 { try write([UInt8](repeating: 0, count: alignment - rest)) }
  }

  /// Overwrites bytes written earlier.
  mutating func patch(_ bytes: [UInt8], at position: UInt64) throws(TraceWriteError) {
    precondition(!isSequential && position + UInt64(bytes.count) <= offset)
    try flush()
    try bytes.withUnsafeBufferPointer { all throws(TraceWriteError) in
      try writeOut(UnsafeRawBufferPointer(all), at: position)
    }
  }

  /// Overwrites a number written earlier.
  mutating func patch(_ value: some FixedWidthInteger, at position: UInt64) throws(TraceWriteError)
  {
    try patch(ByteBuilder.bytes(of: value), at: position)
  }

  /// Writes what is buffered.
  mutating func flush() throws(TraceWriteError) {
    let bytes = UnsafeRawBufferPointer(rebasing: buffer[..<buffered])
    if packer != nil, buffered > 0 {
      guard let packed = try packer?.pack(bytes, path: path) else { return }
      try writeOut(packed, at: flushed)
    } else {
      try writeOut(bytes, at: flushed)
    }
    flushed += UInt64(buffered)
    buffered = 0
  }

  private func writeOut(_ bytes: UnsafeRawBufferPointer, at position: UInt64)
    throws(TraceWriteError)
  {
    var done = 0
    while done < bytes.count {
      let rest = UnsafeRawBufferPointer(rebasing: bytes[done...])
      let written =
        isSequential
        ? Glibc.write(descriptor, rest.baseAddress, rest.count)
        : pwrite(descriptor, rest.baseAddress, rest.count, off_t(position) + off_t(done))
      if written < 0 {
        if errno == EINTR { continue }
        throw TraceWriteError("write", path: path, code: errno)
      }
      done += written
    }
  }
}

/// Bytes of a small structure, put together before they are written.
struct ByteBuilder {
  var bytes: [UInt8] = []

  static func bytes(of value: some FixedWidthInteger) -> [UInt8] {
    withUnsafeBytes(of: value.littleEndian) { Array($0) }
  }

  mutating func append(_ value: some FixedWidthInteger) { bytes += Self.bytes(of: value) }

  mutating func append(_ text: String) { bytes += Array(text.utf8) }

  /// The text and a NUL.
  mutating func append(terminated text: String) {
    append(text)
    bytes.append(0)
  }

  /// Zeros up to a multiple of `alignment`.
  mutating func align(to alignment: Int) {
    while bytes.count % alignment != 0 { bytes.append(0) }
  }
}
