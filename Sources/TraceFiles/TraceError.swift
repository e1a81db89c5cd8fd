/// Why a trace cannot be read, or cannot answer what was asked.
///
/// Thrown only when nothing can be saved; anything less is a finding in `IngestStatistics`.
public struct TraceError: Error, Sendable, Equatable, CustomStringConvertible {
  /// The input as the user named it; filled in by the one who opened it.
  public var file: String?
  /// Byte offset of the trouble, where there is one.
  public var offset: Int?
  /// What is wrong, what was expected there, and what to do about it.
  public var message: String

  /// An error at `offset`.
  public init(_ message: String, at offset: Int? = nil, file: String? = nil) {
    self.message = message
    self.offset = offset
    self.file = file
  }

  /// `file: byte offset: message`.
  public var description: String {
    let text = [file, offset.map { "byte \($0)" }, message].compactMap { $0 }.joined(
      separator: ": ")
    // Names from a damaged file may hold control characters, which a terminal would obey.
    return String(
      String.UnicodeScalarView(
        text.unicodeScalars.map { $0.value < 0x20 || $0.value == 0x7f ? "\u{fffd}" : $0 }))
  }
}
