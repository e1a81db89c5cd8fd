import Foundation
import Replay
import TraceEvents
import TraceFiles

/// One captured run of a workload: its trace and what `meta.json` beside it says was measured.
struct CapturedRun {
  /// The part of `meta.json` that is compared.
  struct Measured: Decodable {
    var mode: String
    var interrupts: Int
    var interruptsPerCPU: [Int]
    var reclaimedPages: Int

    enum CodingKeys: String, CodingKey {
      case mode
      case interrupts = "tlb_ipis_in_window"
      case interruptsPerCPU = "tlb_ipis_in_window_per_cpu"
      case reclaimedPages = "reclaimed_pages"
    }

    /// Interrupts for each page that reclaim freed; nil without any.
    var interruptsPerPage: Double? {
      reclaimedPages > 0 ? Double(interrupts) / Double(reclaimedPages) : nil
    }
  }

  let name: String
  let directory: String
  let measured: Measured

  init(directory: String) throws {
    self.directory = directory
    name = URL(fileURLWithPath: directory).lastPathComponent
    let data = try Data(contentsOf: URL(fileURLWithPath: directory + "/meta.json"))
    measured = try JSONDecoder().decode(Measured.self, from: data)
  }

  /// Replays the trace inside its marks under `policies`.
  func replay(_ policies: [String]) throws -> Outcome {
    let input = try TraceInput(directory + "/trace.dat")
    var survey = TraceSurvey()
    var reader = try input.makeReader(ReadRequest(order: .time, instance: ""))
    var batch = EventBatch()
    while try reader.next(into: &batch) {
      survey.absorb(batch, directory: reader.directory)
    }
    guard let instance = survey.instances.first else {
      throw ValidationError("\(directory): no events")
    }
    let context = ReplayContext(
      instance, facts: reader.facts,
      cpuCount: max(reader.facts.cpuCount ?? 0, instance.cpusSeen),
      window: MarkedWindow.offered(by: instance.marks)?.span)
    var session = try ReplaySession(context, policies: policies)
    reader = try input.makeReader(ReadRequest(order: .time, instance: ""))
    while try reader.next(into: &batch) {
      session.consume(batch, directory: reader.directory)
    }
    return try session.finish()
  }
}

/// What the kernel's own counters (`luf_stat.*`) say of a run with lazy unmap flush.
struct KernelCounters {
  let deferred: Int
  let refused: Int
  /// Put-off flushes that were done for an allocation, for a write-protect fault or a writable
  /// mapping, and for the end of a write to a file.
  let forAllocation: Int
  let forPermission: Int
  let forFileWrite: Int

  /// From the counters before and after; nil where they are missing.
  init?(_ directory: String) {
    guard let before = try? String(contentsOfFile: directory + "/luf_stat.before", encoding: .utf8),
      let after = try? String(contentsOfFile: directory + "/luf_stat.after", encoding: .utf8)
    else { return nil }
    let old = Self.counts(before)
    let new = Self.counts(after)
    func change(_ names: String...) -> Int {
      names.reduce(0) { $0 + (new[$1] ?? 0) - (old[$1] ?? 0) }
    }
    deferred = change("defer_batches")
    refused = change("giveup_lock", "giveup_busy")
    forAllocation = change("req_alloc", "req_task")
    forPermission = change("req_wp_fault", "req_mmap_write")
    forFileWrite = change("req_file_end_write")
  }

  /// Lines are `name count`, or `req_cause done_before n nothing_pending n flushed n`.
  private static func counts(_ text: String) -> [String: Int] {
    var counts: [String: Int] = [:]
    for line in text.split(separator: "\n") {
      let words = line.split(separator: " ")
      guard let name = words.first, words.count == 2 || words.dropLast().last == "flushed",
        let value = words.last.flatMap({ Int($0) })
      else { continue }
      counts[String(name)] = value
    }
    return counts
  }
}

/// Why nothing could be validated.
struct ValidationError: Error, CustomStringConvertible {
  let description: String
  init(_ description: String) { self.description = description }
}
