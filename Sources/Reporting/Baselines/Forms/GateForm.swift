/// A form in which a continuous integration system reads the outcome of `check`.
public protocol GateForm: Sendable {
  /// Its name on the command line: `--NAME`.
  var name: String { get }
  /// The outcome in this form, with a final line end.
  func render(_ summary: CheckSummary) -> String
}

/// The forms that are files.
public enum GateForms {
  /// All of them.
  public static let all: [any GateForm] = [JUnitForm(), KTAPForm(), GitHubForm()]

  /// Text without line ends and control characters, which would end or forge a line.
  static func oneLine(_ text: String) -> String {
    String(
      String.UnicodeScalarView(
        text.unicodeScalars.map { $0.value < 0x20 || $0.value == 0x7f ? " " : $0 }))
  }
}
