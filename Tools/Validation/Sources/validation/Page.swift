import Foundation
import Replay

/// The validation page, in Markdown.
enum Page {
  /// `notes` are written for all pairs, why predictions miss; nil where only some are compared.
  static func text(_ comparisons: [Comparison], _ safety: [String], notes: String?) -> String {
    var lines = [
      "# Predicted and measured" + (notes == nil ? "" : ": all pairs"),
      "",
    ]
    if notes != nil { lines += scope }
    lines += [
      "Written by `Tools/validate`. For each workload, a run of a real kernel without lazy unmap",
      "flush (LUF) is replayed under a policy, and the prediction stands beside runs of the same",
      "workload on the same kernel with that policy on. The prediction sees the trace without LUF",
      "only. Figures are TLB shootdown interrupts between the trace's marks",
      "(`tlb_ipis_in_window` of `meta.json`), as they are and for each page reclaimed in the same",
      "run; errors are distances to the range of the measured runs, 0 inside it. `per CPU` adds up",
      "the distances of all CPUs. `another run` is where one more run of the workload is expected,",
      "about 95 times in 100, by how much the interrupts of the recorded one scatter over time; to",
      "the `bounds` that `report` gives, what the trace leaves open is added.",
      "",
      "| workload | recorded | policy | interrupts recorded | predicted | bounds | another run |"
        + " measured | error | per page: predicted | measured | error | per CPU | inside bounds |"
        + " inside another run |",
      "|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    lines += comparisons.map(row)
    lines += [""] + insides(comparisons)
    let orders = PolicyOrder.all(comparisons)
    lines += ["", "## Errors by policy", ""] + Aim.table(comparisons)
    lines += ["", "## Order of the policies", ""] + PolicyOrder.table(orders)
    lines += ["", "## What misses the aim", ""] + aim + Aim.misses(comparisons, orders)
    if let notes {
      lines +=
        [""]
        + notes.split(separator: "\n", omittingEmptySubsequences: false).dropLast().map(String.init)
    }
    lines += ["", "## By CPU"] + PerCPUTables.lines(comparisons)
    lines += [
      "", "## What led there", "",
      "Unmap batches deferred and refused, and the put-off flushes that were done, by cause: predicted,",
      "and in brackets what the kernel itself counted since it started, a little beyond the marks",
      "(`luf_stat.*`).",
      "",
      "| workload | recorded | policy | deferred | refused | for allocations | for permissions |"
        + " for writes |",
      "|---|---|---|---|---|---|---|---|",
    ]
    lines += comparisons.compactMap(mechanism)
    lines += [
      "", "## Safety", "",
      "What the independent oracle finds in each replay; frames are those of put-off batches that were",
      "handed out again.", "",
      "| workload | recorded | policy | interrupts | frames | violations | rules broken |",
      "|---|---|---|--:|--:|--:|---|",
    ]
    lines += safety
    lines += [
      "", "## Reading it", "",
      "- Runs of one mode differ among themselves, as the moment at which they start is not fixed to",
      "  the instruction. `another run` covers that; what the workload does differently once its",
      "  flushes are gone is in neither range.",
      "- luf-v10-as-posted: a frame that passes through buddy gets its block's order (0 to 10) in the",
      "  place of its generation. The kernel of these pairs starts with generation 1 at the window, as",
      "  the replay does, so that up to ten flushes come from orders; in burst-16 these are all there",
      "  are, and two that a run refuses more or less make a fifth of its interrupts.",
      "- luf-ideal and unbatched have no kernel to compare with.",
    ]
    return lines.joined(separator: "\n") + "\n"
  }

  private static let scope = [
    "This page also has pairs that are too large for this repository (`Traces/luf-pairs` has two",
    "recorded runs), so it cannot be made anew from it; `Traces/validation.md` can. It was written by",
    "`Tools/validate --all -o Traces/validation-all.md` beside the directory that holds them. What",
    "the workloads do: `burst-16`, kswapd reclaims in one long burst; `direct-16` and `small-4`,",
    "threads stream a file through little memory; `mixed-8`, the same with writable memory and",
    "mmap, mprotect and munmap beside it; `tier-8`, hinting faults promote and kswapd demotes. A run",
    "is named `MODE.BOOT`; `v11.1r` repeats `v11.1` and is the same to the last event.",
    "",
  ]

  /// How many measured totals lie in the two ranges, of every recorded run.
  private static func insides(_ comparisons: [Comparison]) -> [String] {
    let all = comparisons.reduce(0) { $0 + $1.measured.count }
    let inBounds = comparisons.reduce(0) { $0 + ($1.insideBounds ?? 0) }
    let inRun = comparisons.reduce(0) { $0 + ($1.insideAnotherRun ?? 0) }
    return [
      "Of \(all) comparisons, of each measured total with each recorded run of its workload, \(inBounds)",
      "lie between the bounds, which are wide, and \(inRun) inside `another run`, which should hold 95 in",
      "100.",
    ]
  }

  private static let aim = [
    "Aimed at: measured runs inside the bounds; for luf-v10 and luf-v11 a median error of at most",
    "5 % over the workloads and none above 15 %; the order of policies right. These miss a limit",
    "(luf-v10-as-posted is held to the same):", "",
  ]

  private static func row(_ comparison: Comparison) -> String {
    let pages = comparison.measured.compactMap(\.measured.interruptsPerPage)
    let cells = [
      comparison.workload, comparison.before.name, comparison.predicted.name,
      "\(comparison.before.measured.interrupts)",
      comparison.total.map { "\($0)" } ?? "not observable",
      "\(comparison.predicted.leastRow.map { "\($0)" } ?? "?")"
        + " to \(comparison.predicted.greatestRow.map { "\($0)" } ?? "?")",
      comparison.anotherRun.map { "\($0.lowerBound) to \($0.upperBound)" } ?? "?",
      range(comparison.measured.map { "\($0.measured.interrupts)" }),
      percent(comparison.totalError), comparison.perPage.map(fixed) ?? "-",
      range(pages.map(fixed)), percent(comparison.perPageError),
      percent(comparison.perCPUError, isSigned: false),
      of(comparison.insideBounds, comparison), of(comparison.insideAnotherRun, comparison),
    ]
    return "| " + cells.joined(separator: " | ") + " |"
  }

  private static func of(_ inside: Int?, _ comparison: Comparison) -> String {
    inside.map { "\($0) of \(comparison.measured.count)" } ?? "-"
  }

  private static func mechanism(_ comparison: Comparison) -> String? {
    guard let ledger = comparison.predicted.figures?.ledger else { return nil }
    let kernels = comparison.measured.compactMap { KernelCounters($0.directory) }
    func cell(_ predicted: Int, _ measured: (KernelCounters) -> Int) -> String {
      "\(predicted) (" + range(kernels.map { "\(measured($0))" }) + ")"
    }
    let cells = [
      comparison.workload, comparison.before.name, comparison.predicted.name,
      cell(ledger.deferred) { $0.deferred }, cell(ledger.refused) { $0.refused },
      cell(ledger.flushesForAllocation) { $0.forAllocation },
      cell(ledger.flushesForPermission) { $0.forPermission },
      cell(ledger.flushesForFileWrite) { $0.forFileWrite },
    ]
    return "| " + cells.joined(separator: " | ") + " |"
  }

  private static func range(_ values: [String]) -> String { values.joined(separator: ", ") }

  /// Each once, in the order of first appearance.
  static func unique(_ names: [String]) -> [String] {
    var seen: Set<String> = []
    return names.filter { seen.insert($0).inserted }
  }

  static func fixed(_ value: Double) -> String { String(format: "%.4f", value) }

  static func percent(_ value: Double?, isSigned: Bool = true) -> String {
    guard let value else { return "-" }
    return String(format: isSigned ? "%+.1f %%" : "%.1f %%", value * 100)
  }
}
