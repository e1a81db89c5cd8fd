/// Bytes of text lines that are put together without a String an event.
///
/// Not copyable because it owns the bytes.
struct LineBuffer: ~Copyable {
  private let bytes: UnsafeMutablePointer<UInt8>
  private let capacity: Int
  private(set) var count = 0

  init(capacity: Int) {
    self.capacity = capacity
    bytes = .allocate(capacity: capacity)
  }

  deinit { bytes.deallocate() }

  /// What was put together; valid until the next change.
  var contents: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: bytes, count: count) }

  /// Bytes that still fit.
  var room: Int { capacity - count }

  mutating func removeAll() { count = 0 }

  mutating func append(_ byte: UInt8) {
    precondition(count < capacity)
    bytes[count] = byte
    count += 1
  }

  mutating func append(_ text: StaticString) {
    precondition(count + text.utf8CodeUnitCount <= capacity)
    (bytes + count).update(from: text.utf8Start, count: text.utf8CodeUnitCount)
    count += text.utf8CodeUnitCount
  }

  mutating func append(_ text: [UInt8]) {
    precondition(count + text.count <= capacity)
    text.withUnsafeBufferPointer {
      if let base = $0.baseAddress { (bytes + count).update(from: base, count: $0.count) }
    }
    count += text.count
  }

  mutating func append(spaces: Int) { for _ in 0..<max(0, spaces) { append(0x20) } }

  /// Decimal digits, zeros in front up to `width`.
  mutating func append(decimal value: UInt64, width: Int = 1) {
    var digits = width
    var limit: UInt64 = 1
    for _ in 1..<max(1, width) { limit *= 10 }
    var rest = value / limit
    while rest >= 10 {
      digits += 1
      rest /= 10
    }
    append(value, radix: 10, digits: max(1, digits))
  }

  mutating func append(signed value: Int64) {
    if value < 0 { append(0x2d) }
    append(decimal: value.magnitude)
  }

  /// Lower-case hexadecimal digits, zeros in front up to `width`.
  mutating func append(hexadecimal value: UInt64, width: Int = 1) {
    append(value, radix: 16, digits: max(width, (64 - value.leadingZeroBitCount + 3) / 4))
  }

  private mutating func append(_ value: UInt64, radix: UInt64, digits: Int) {
    precondition(count + digits <= capacity)
    var rest = value
    for position in stride(from: count + digits - 1, through: count, by: -1) {
      let digit = UInt8(truncatingIfNeeded: rest % radix)
      bytes[position] = digit < 10 ? 0x30 + digit : 0x57 + digit
      rest /= radix
    }
    count += digits
  }
}
