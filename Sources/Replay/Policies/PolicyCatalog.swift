/// The flush policies that can be replayed, by name.
public enum PolicyCatalog {
  /// The recorded run itself: identity.
  public static let recordedName = "recorded"
  /// What `report` shows when nothing is asked for.
  public static let defaultNames = [recordedName, LazyFlushRules.v10.name]
  /// Every policy once.
  public static let sampleNames = [recordedName] + entries.map(\.sampleName)

  /// All but the recorded run, in the order of the catalogue. A new policy adds its line here.
  public static let entries: [PolicyEntry] = [
    UnmapBatching.unbatchedEntry, UnmapBatching.entry, LazyFlushRules.migrc3Entry,
    LazyFlushRules.migrc8Entry, LazyFlushRules.migrc9Entry, LazyFlushRules.v10Entry,
    LazyFlushRules.v10AsPostedEntry, LazyFlushRules.v11Entry, LazyFlushRules.v12Entry,
    LazyFlushRules.v12RulesEntry, IdealUnmapFlush.entry,
  ]

  /// Name, one line on it, and source of everything that can be asked for.
  public static let lines: [(name: String, summary: String, source: String)] =
    [(recordedName, "what the trace recorded, unchanged", "the trace")]
    + entries.map { ($0.name, $0.summary, $0.source) }

  /// Whether a policy has this name.
  public static func isKnown(_ name: String) -> Bool {
    name == recordedName || blueprint(named: name) != nil
  }

  /// The policy of this name; nil for the recorded run, which needs none, and unknown names.
  public static func blueprint(named name: String) -> PolicyBlueprint? {
    for entry in entries {
      if let blueprint = entry.blueprint(name) { return blueprint }
    }
    return nil
  }
}
