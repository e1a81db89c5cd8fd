import Glibc

/// A trace that could not be written.
public struct TraceWriteError: Error, CustomStringConvertible, Equatable {
  /// What the system refused (`open`, `write`) or the codec said.
  public let operation: String
  /// The file.
  public let path: String
  /// `errno`, 0 if the system is not to blame.
  public let code: Int32

  init(_ operation: String, path: String, code: Int32 = 0) {
    self.operation = operation
    self.path = path
    self.code = code
  }

  /// One line for a person.
  public var description: String {
    let reason = code == 0 ? "" : ": \(String(cString: strerror(code)))"
    return "\(path): \(operation)\(reason)"
  }
}
