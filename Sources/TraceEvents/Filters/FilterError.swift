/// A filter that cannot be understood, or that a trace cannot serve.
public struct FilterError: Error, Equatable, CustomStringConvertible {
  /// One line for a person.
  public let description: String

  /// An error that says `description`.
  public init(_ description: String) { self.description = description }
}
