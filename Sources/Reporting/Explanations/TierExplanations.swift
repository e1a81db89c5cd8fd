import Replay
import TraceEvents

extension Explanations {
  private static let frameEvents: [EventKind] = [
    .pageAlloc, .pageFree, .pageFreeBatched, .pagePCPDrain, .pageAllocZoneLocked,
  ]
  private static let placed =
    "/proc/zoneinfo beside the trace says which frame is of which node (start_pfn and spanned of its "
    + "zones)"
  private static let levels = [
    placed,
    "one allocation or free of order n is 2^n frames; an event of a frame tells what it was "
      + "before, also by hindsight",
  ]
  private static let snapshotsNeeded =
    "zoneinfo.before, zoneinfo.after, vmstat.before and vmstat.after beside the trace"

  private static func level(
    _ path: String, unit: Explanation.Unit = "pages", _ meaning: String, grade: Grade? = nil
  ) -> Explanation {
    Explanation(
      path, unit: unit, meaning, grade: grade, events: frameEvents,
      rules: levels, parameters: [.window], bounds: snapshotsNeeded)
  }

  private static func moved(
    _ path: String, unit: Explanation.Unit = "pages", _ meaning: String, grade: Grade? = nil
  ) -> Explanation {
    Explanation(
      path, unit: unit, meaning, grade: grade, events: [.migratePagesStart, .migratePages],
      rules: [
        "mm_migrate_pages is written once a call of migrate_pages with what succeeded and failed (Linux "
          + "6.12 mm/migrate.c); nodes are those of the frames that the call took and freed",
        placed,
      ], parameters: [.window],
      bounds: "migrate:mm_migrate_pages_start, and \(snapshotsNeeded)")
  }

  /// Memory tiers.
  static let tiers = [
    Explanation(
      "tiers.nodes.*.node", "tiers.flows.*.{from,to}", unit: "", "the kernel's number of the node",
      grade: .derived, rules: [placed]),
    Explanation(
      "tiers.nodes.*.managed", unit: "pages", "pages that the page allocator has", grade: .measured,
      rules: ["managed of /proc/zoneinfo, summed over the node's zones"]),
    level(
      "tiers.nodes.*.{allocated,freed}", "pages allocated and freed in the window",
      grade: .measured),
    level(
      "tiers.nodes.*.taken_unseen",
      "frames that an event shows free or used again though no event took or freed them",
      grade: .derived),
    level(
      "tiers.nodes.*.gains", "pages in use gained in each span of the series", grade: .derived),
    level(
      "tiers.nodes.*.in_use.{before,after,least,most}",
      "pages in use: before by the snapshot, managed less free; then with the trace's allocations and "
        + "frees"),
    level(
      "tiers.nodes.*.known.{used_before,free_before,used_after,free_after,not_named}",
      "of the frames that the trace names, those known used and free at the window's edges; not_named: "
        + "may be either"),
    level(
      "tiers.nodes.*.free_change.{snapshots,trace,difference,lag}",
      "free pages gained between the snapshots and by the trace; lag: by what the kernel's counter may be "
        + "late", grade: .derived),
    moved("tiers.flows.*.pages", "pages that went from one node to the other for this reason"),
    moved("tiers.flows.*.bytes", unit: "bytes", "the same times the page size"),
    moved("tiers.flows.*.calls", unit: "calls", "calls of migrate_pages that moved them"),
    moved("tiers.flows.*.series", "pages in each span of the series"),
    moved(
      "tiers.migrations.*.{succeeded,failed,unplaced}",
      "pages of this reason that were migrated, that were not, and that no flow has"),
    moved("tiers.migrations.*.calls", unit: "calls", "calls of migrate_pages for this reason"),
    moved(
      "tiers.{promoted,demoted}.{pages,series}",
      "pages that went to a higher or a lower tier, all and in each span"),
    moved("tiers.{promoted,demoted}.bytes", unit: "bytes", "the same times the page size"),
    moved(
      "tiers.calls_cut", unit: "calls",
      "calls of migrate_pages that began before the trace or ended behind it", grade: .derived),
    Explanation(
      "tiers.agreement.*.{snapshots,trace,difference,lag}", unit: "pages",
      "a counter of /proc/vmstat, after less before, beside what the trace says; lag: by what the "
        + "kernel's counter may be late", grade: .derived, events: [.migratePages],
      rules: ["vmstat.before and vmstat.after beside the trace"], parameters: [.window]),
    level(
      "tiers.{contradictions,frames_untracked,frames_ambiguous}", unit: "frames",
      "frames whose events contradict what was known, that were not followed, and that a call moved "
        + "without telling where", grade: .derived),
    Explanation(
      "tiers.page_size", unit: "bytes", "bytes of a page: as the trace says, else x86-64's 4096",
      grade: .measured),
    Explanation(
      "tiers.{series_start,series_width}", unit: .time,
      "where the series begin, and how long their spans are", grade: .derived,
      parameters: [.window]),
  ]
}
