/// The flush policies that can be replayed, by name.
public enum PolicyCatalog {
  /// The recorded run itself: identity.
  public static let recordedName = "recorded"

  /// Policies besides the recorded one.
  static let lazy: [LazyFlushRules] = [.v10]

  /// A policy's name, one line on it, and where its rules come from.
  public static let entries: [(name: String, summary: String, source: String)] = [
    (recordedName, "what the trace recorded, unchanged", "the trace"),
    (
      LazyFlushRules.v10.name,
      "lazy unmap flush: read-only unmaps are flushed when one of their frames is taken again",
      "LUF v10, linux-mm, 10 May 2024"
    ),
  ]
}
