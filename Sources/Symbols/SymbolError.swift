/// Why a file with symbols cannot be used.
public struct SymbolError: Error, Sendable, Equatable, CustomStringConvertible {
  /// The file as the user or the trace named it.
  public var file: String
  /// Byte offset of the trouble, where there is one.
  public var offset: Int?
  /// What is wrong and what was expected there.
  public var message: String

  /// An error in `file` at `offset`.
  public init(_ message: String, in file: String, at offset: Int? = nil) {
    self.message = message
    self.file = file
    self.offset = offset
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
