/// The id that the linker gave a binary: the content of its NT_GNU_BUILD_ID note.
public struct BuildID: Sendable, Hashable, CustomStringConvertible {
  /// The id's bytes: 20 of SHA-1 as a rule, 16 of MD5 or UUID.
  public let bytes: [UInt8]

  /// An id of `bytes`; nil if there are none, or only zeros, which is how perf pads.
  public init?(_ bytes: [UInt8]) {
    guard bytes.contains(where: { $0 != 0 }) else { return nil }
    self.bytes = bytes
  }

  /// An id written in hexadecimal, as `perf buildid-list` prints it.
  public init?(hexadecimal text: String) {
    let digits = text.utf8.compactMap { byte -> UInt8? in
      switch byte {
      case 0x30...0x39: byte - 0x30
      case 0x61...0x66: byte - 0x57
      case 0x41...0x46: byte - 0x37
      default: nil
      }
    }
    guard digits.count == text.utf8.count, digits.count % 2 == 0 else { return nil }
    self.init(
      stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] })
  }

  /// Whether both are the same id, one of them perhaps padded with zeros to 20 bytes: perf before
  /// Linux 5.12 did not record how long an id is.
  public func matches(_ other: BuildID) -> Bool {
    let (short, long) =
      bytes.count <= other.bytes.count ? (bytes, other.bytes) : (other.bytes, bytes)
    return long.starts(with: short) && long.dropFirst(short.count).allSatisfy { $0 == 0 }
  }

  /// The id in hexadecimal.
  public var description: String {
    var text: [UInt8] = []
    for byte in bytes {
      for digit in [byte >> 4, byte & 15] { text.append(digit < 10 ? digit + 0x30 : digit + 0x57) }
    }
    return String(decoding: text, as: UTF8.self)
  }
}
