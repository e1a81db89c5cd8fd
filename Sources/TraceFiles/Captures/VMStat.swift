import TraceEvents

/// Reads the migration counters of copies of /proc/vmstat: a name, a blank and a count on each line
/// (Linux 6.12 `mm/vmstat.c` `vmstat_show`).
enum VMStat {
  /// What the counters gained from one copy to the other.
  static func gained(from before: String, to after: String) throws(TraceError) -> MigrationCounters
  {
    let old = try counters(SnapshotFile.text(before), before)
    let new = try counters(SnapshotFile.text(after), after)
    var gained: [(name: String, pages: UInt64)] = []
    for name in MigrationCounters.names {
      guard let first = old[name], let last = new[name] else { continue }
      guard last >= first else {
        throw TraceError("\(name) is less than in \(before): another boot?", file: after)
      }
      gained.append((name, last - first))
    }
    return MigrationCounters(gained: gained)
  }

  static func counters(_ text: String, _ path: String) throws(TraceError) -> [String: UInt64] {
    var found: [String: UInt64] = [:]
    var lines = 0
    for line in text.split(whereSeparator: \.isNewline) {
      let words = line.split(separator: " ")
      guard words.count == 2, let value = UInt64(words[1]) else { continue }
      lines += 1
      let name = String(words[0].prefix(64))
      if MigrationCounters.names.contains(name) { found[name] = value }
    }
    guard lines > 0 else { throw TraceError("expected a copy of /proc/vmstat", file: path) }
    return found
  }
}
