/// Between what the TLB row of a policy lies, given what the trace does not show.
///
/// Where it shows everything that the policy looks at, the cases differ by what stands in the way of
/// a deferral only, and their least and greatest row are the bounds. Where it does not, the truth may
/// be any mixture of the cases: some batches deferred and others not, more ends of deferral than were
/// seen. Every mixture lies between these:
///
/// - the floor: each CPU is interrupted as rarely as its deferrals and the policy's own chances to
///   flush allow, all that may be deferred being deferred (``IdealUnmapFlush``);
/// - without a floor, the recorded row less every interrupt that might be put off;
/// - above, the recorded row with each batch that might be put off flushed by itself, by another CPU
///   than the recorded one: a put-off flush interrupts no CPU twice for one batch. CPUs that were
///   lazy at the unmap count where a case interrupts them; all of them would be far too many.
///
/// Less evidence only adds batches and mixtures, so it can only widen these.
struct RowBounds {
  let lower: Int
  let upper: Int

  /// `cases` are all replays of the policy with their rows' totals, `floor` that of its floor.
  init(
    _ cases: [(total: Int, books: ReplayBooks)], floor: Int?, recorded: Int, isComplete: Bool
  ) {
    let totals = cases.map(\.total)
    let least = totals.min() ?? recorded
    let greatest = totals.max() ?? recorded
    let deferrable = cases.map { $0.books.ledger.deferred + $0.books.ledger.refused }
    guard !isComplete || deferrable.min() != deferrable.max() else {
      lower = least
      upper = greatest
      return
    }
    let saved = cases.map(\.books.saved).max() ?? 0
    let owed = cases.map { $0.books.owed - $0.books.saved }.max() ?? 0
    lower = min(least, floor ?? max(recorded - saved, 0))
    upper = max(greatest, recorded + owed)
  }
}
