import Foundation
import Testing
import TraceBuilding

/// Every sample against its answer key, which the stock tools made.
@Suite struct AnswerKeyTests {
  /// Forms that must be refused, and what the message must name.
  static let refused = ["ft-a-one-raw.txt.gz": "raw", "ft-a-one-hex.txt.gz": "hex"]

  static let samples = ["ft-", "tcr-", "ps-", "td-", "pd-"].flatMap { Fixture.keyed($0) }
    .filter { refused[$0] == nil && !$0.contains("DAMAGED") }

  @Test(arguments: samples)
  func statEqualsTheKey(_ name: String) throws {
    let key = try JSON(file: Fixture.path("formats/\(name).key.json"))
    let stat = try Tool.stat("formats/\(name)")
    let differences = Key(key, name).differences(stat)
    #expect(differences.isEmpty, "\(differences.prefix(6).joined(separator: "\n"))")
  }

  @Test(arguments: refused.sorted { $0.key < $1.key })
  func formsWithoutEventsAreRefusedWithTheReason(_ name: String, _ word: String) throws {
    let run = try Tool.run(["stat", "formats/\(name)"])
    #expect(run.exitCode == 3)
    #expect(run.errors.contains(word))
    #expect(run.output.isEmpty)
  }

  /// Damaged on purpose; the numbers are what a careful reader can save (see Traces/README.md).
  @Test(arguments: [
    ("td-a-DAMAGED-bitflips-v6.dat", 792, "implausible-record"),
    ("td-a-DAMAGED-bitflips-v7-zstd.dat", 2349, "damaged-chunk"),
    ("td-a-DAMAGED-truncated-v6.dat", 658, "truncated-page"),
    ("td-a-DAMAGED-truncated-v7-none.dat", 276, "missing-cpu-table"),
    ("td-a-DAMAGED-truncated-v7-zstd.dat", 4496, "truncated-chunk"),
  ])
  func damagedTracesKeepWhatIsReadable(_ name: String, _ events: Int, _ finding: String) throws {
    let stat = try Tool.stat("formats/\(name)")
    #expect(stat["events"].members.values.compactMap { $0["total"].integer }.reduce(0, +) == events)
    let found = stat["input"]["findings"].elements.first { $0["name"].text == finding }
    #expect(found?["severity"].text == "damage")
    #expect(found?["first_offset"].integer != nil)
    let key = try JSON(file: Fixture.path("formats/\(name).key.json"))
    let undamaged = key["undamaged_pages_contain"]["total"].integer ?? 0
    #expect(events >= undamaged)
  }

  /// Only CPUs 1 and 2 were traced; the cut takes the table that says so.
  @Test func cpusOfACutTraceAreNumberedByTheirIdleTasks() throws {
    let whole = Fixture.path("formats/td-a-v7-cpumask.dat")
    let file = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    defer { try? FileManager.default.removeItem(at: file) }
    try Data(contentsOf: URL(filePath: whole)).prefix(80_000).write(to: file)
    let cut = try Tool.stat(file.path)
    let original = try Tool.stat(whole)
    var saved = [0, 0, 0, 0]
    for (name, event) in cut["events"].members {
      let counts = try #require(event["per_cpu"].counts)
      let all = try #require(original["events"][name]["per_cpu"].counts)
      for cpu in counts.indices {
        #expect(counts[cpu] <= all[cpu], "\(name) on CPU \(cpu)")
        saved[cpu] += counts[cpu]
      }
    }
    #expect(saved[0] == 0 && saved[3] == 0)
    #expect(saved[1] > 0 && saved[2] > 0)
  }

  static let sets = ["td-a", "td-b", "ft-a", "ft-b", "pd-a", "pd-b"]

  /// One capture in many dialects: the same counts, apart from `input` and the CPU column.
  @Test(arguments: sets)
  func dialectsOfOneCaptureAgree(_ set: String) throws {
    let expected = try JSON(file: Fixture.path("formats/\(set)-one.expected.json"))
    var first: [String: JSON]?
    for member in expected["holds_for"].elements.compactMap(\.text) {
      let stat = try Tool.stat("formats/\(member)")
      #expect(Key(expected, member).differences(stat).isEmpty, "\(member)")
      var comparable = stat.members
      for key in ["input", "window"] { comparable[key] = nil }
      if comparable["events"]?.members.values.contains(where: { $0["per_cpu"].isNull }) == true {
        // No CPU column: totals only.
        let totals = comparable["events"]?.members.mapValues { $0["total"] }
        #expect(totals == first?["events"]?.members.mapValues { $0["total"] }, "\(member)")
        continue
      }
      if let first { #expect(comparable == first, "\(member)") } else { first = comparable }
    }
  }
}

/// An answer key, and how a `stat` document differs from it.
struct Key {
  let key: JSON
  let isText: Bool

  init(_ key: JSON, _ name: String) {
    self.key = key
    isText = name.hasPrefix("ft-")
  }

  func differences(_ stat: JSON) -> [String] {
    var found: [String] = []
    if case .object(let instances) = key["instances"] {
      for (name, table) in instances {
        let isMain = name.isEmpty || stat["instances"][name].isNull
        let events = isMain ? stat["events"] : stat["instances"][name]["events"]
        found += eventDifferences(table["events_per_cpu"], [events], name)
        found += timeDifferences(table, isMain ? stat["input"] : stat["instances"][name], name)
        if isMain { found += tableDifferences(table, stat) }
      }
    } else if !stat["instances"].members.isEmpty {
      // trace-cmd report lists all buffers in one text, and so does its key: here the sum is right.
      var all = stat["instances"].members.values.map { $0["events"] }
      all.append(stat["events"])
      found += eventDifferences(key["events_per_cpu"], all, "")
    } else {
      found += eventDifferences(key["events_per_cpu"], [stat["events"]], "")
      found += tableDifferences(key, stat)
      if !key["first"].isNull { found += timeDifferences(key, stat["input"], "") }
    }
    return found + lossDifferences(stat)
  }

  private func eventDifferences(_ wanted: JSON, _ events: [JSON], _ instance: String) -> [String] {
    var got: [String: [String: Int]] = [:]
    // A form without CPU column serves one table by CPU too: its totals must be the table's.
    let hasCPUs = events.contains { $0.members.values.contains { !$0["per_cpu"].isNull } }
    for (full, event) in events.flatMap(\.members) {
      var name = String(full.split(separator: ":").last ?? "")
      // The key of kernel text counts both kinds of stack lines under one name.
      if isText, name == "kernel_stack" || name == "user_stack" { name = "stack" }
      if let counts = event["per_cpu"].counts {
        for (cpu, count) in counts.enumerated() where count > 0 {
          got[padded(cpu), default: [:]][name, default: 0] += count
        }
      } else {
        got["-", default: [:]][name, default: 0] += event["total"].integer ?? 0
      }
    }
    var want = wanted.members.mapValues { $0.members.compactMapValues(\.integer) }
    if !hasCPUs, !want.isEmpty {
      want = ["-": want.values.reduce(into: [:]) { sum, row in sum.merge(row) { $0 + $1 } }]
    }
    return Set(got.keys).union(want.keys).sorted().filter { got[$0] != want[$0] }.map {
      "\(instance) CPU \($0): got \(got[$0] ?? [:]), want \(want[$0] ?? [:])"
    }
  }

  private func tableDifferences(_ wanted: JSON, _ stat: JSON) -> [String] {
    var found: [String] = []
    if !wanted["tlb_flush_per_cpu_reason_pages"].isNull {
      let got = flushTable(stat["tlb_flush"]["by_reason"])
      var want = wanted["tlb_flush_per_cpu_reason_pages"].members.mapValues {
        $0.members.mapValues { $0.members.compactMapValues(\.integer) }
      }
      if got.keys.contains("-") {
        want = [
          "-": want.values.reduce(into: [:]) { sum, table in
            sum.merge(table) { $0.merging($1) { $0 + $1 } }
          }
        ]
      }
      if got != want { found.append("tlb_flush: got \(got), want \(want)") }
    }
    if !wanted["mm_page_alloc_per_order"].isNull,
      wanted["mm_page_alloc_per_order"] != stat["page_alloc"]["by_order"]
    {
      found.append("orders: got \(stat["page_alloc"]), want \(wanted["mm_page_alloc_per_order"])")
    }
    return found
  }

  private func flushTable(_ reasons: JSON) -> [String: [String: [String: Int]]] {
    var table: [String: [String: [String: Int]]] = [:]
    for (reason, entry) in reasons.members {
      for pages in ["full", "none", "range"] {
        if let counts = entry["per_cpu_pages"][pages].counts {
          for (cpu, count) in counts.enumerated() where count > 0 {
            table[padded(cpu), default: [:]][reason, default: [:]][pages] = count
          }
        } else if let total = entry[pages].integer, total > 0 {
          table["-", default: [:]][reason, default: [:]][pages] = total
        }
      }
    }
    return table
  }

  private func timeDifferences(_ wanted: JSON, _ got: JSON, _ instance: String) -> [String] {
    ["first", "last"].compactMap { end in
      // Relative times are null (cli.md): the key's are numbers from the trace's own beginning.
      guard let text = wanted[end].text, got["time"].text != "relative" else { return nil }
      // The verbose latency form names the position of a line in hexadecimal, not its time.
      guard text.contains(".") || Int(text) != nil else { return nil }
      let ticks = got["\(end)_ticks"].integer
      let parts = text.split(separator: ".")
      // Times without a point count something else than seconds: a clock's ticks, or nanoseconds of
      // a clock that the stock tool does not know (boot).
      if parts.count == 1 {
        let value = ticks ?? got["\(end)_ns"].integer
        return value == Int(text)
          ? nil : "\(instance) \(end): got \(String(describing: value)), want \(text)"
      }
      let fraction = parts[1] + String(repeating: "0", count: 9 - parts[1].count)
      let want = (Int(parts[0]) ?? 0) * 1_000_000_000 + (Int(fraction) ?? 0)
      // The stock tool prints jiffies of the clock `uptime` as if they were nanoseconds.
      if let ticks {
        return ticks == want ? nil : "\(instance) \(end): got \(ticks) ticks, want \(want)"
      }
      return got["\(end)_ns"].integer == want
        ? nil : "\(instance) \(end): got \(got["\(end)_ns"]), want \(want)"
    }
  }

  private func lossDifferences(_ stat: JSON) -> [String] {
    var found: [String] = []
    let lost = stat["input"]["lost_events"]
    let known = key["lost_known_total"].integer ?? key["lost_records_sum"].integer
    if let known, lost["known"].integer != known {
      found.append("lost: got \(lost), want \(known)")
    }
    if let marks = key["lost_unknown_count"].integer, lost["unknown"] != .bool(marks > 0) {
      found.append("losses of unknown size: got \(lost), want \(marks)")
    }
    return found
  }

  private func padded(_ cpu: Int) -> String {
    String(repeating: "0", count: max(0, 3 - "\(cpu)".count)) + "\(cpu)"
  }
}
