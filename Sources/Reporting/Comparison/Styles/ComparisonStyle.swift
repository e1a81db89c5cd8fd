/// A comparison in the layout of a tool that its reader knows.
public protocol ComparisonStyle: Sendable {
  /// What `--style` takes.
  static var name: String { get }
  /// The comparison as text.
  static func render(_ comparison: RunComparison) throws(StyleError) -> String
}

/// Every style, by name.
public enum ComparisonStyles {
  /// In alphabetical order.
  public static let all: [any ComparisonStyle.Type] = [
    BenchstatStyle.self, LKPStyle.self, MinistatStyle.self, MmtestsStyle.self, PerfStatStyle.self,
  ]

  /// The style called `name`.
  public static func style(named name: String) -> (any ComparisonStyle.Type)? {
    all.first { $0.name == name }
  }
}

/// Why a style cannot show a comparison.
public struct StyleError: Error, CustomStringConvertible {
  /// What is missing.
  public let description: String
}
