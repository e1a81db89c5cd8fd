extension MachineModel {
  private static let dump = "CPUID leaf 18h of Xeon w9-3475X, w7-2475X and Gold 5520+, InstLatx64"
  private static let book = "notes on Hennessy and Patterson, i9-12900 (Golden Cove)"

  /// Sapphire Rapids (Golden Cove): the machine of the letter.
  static let sapphireRapids = MachineModel(
    name: "sapphire-rapids", summary: "Intel Sapphire Rapids (Xeon Scalable, 2023)", source: dump,
    geometry: TLBGeometry(
      fetch: [
        TLBArray(256, ways: 8, .small, source: dump),
        TLBArray(32, ways: 8, .large, source: dump),
      ],
      load: [
        TLBArray(
          entries: CountRange(
            96, lower: 64, source: "\(book); CPUID says 64 x 4, Sunny Cove's numbers",
            confidence: .medium),
          ways: CountRange(6, lower: 4, source: "\(book); CPUID says 4", confidence: .medium),
          sizes: .small),
        TLBArray(32, ways: 4, .large, source: "\(dump); \(book)"),
        TLBArray(8, .huge, source: "\(dump); \(book)"),
      ],
      store: [TLBArray(16, .all, source: "\(dump), type 5")],
      second: [
        TLBArray(1024, ways: 8, [.small, .large], source: dump),
        TLBArray(1024, ways: 8, [.small, .huge], source: dump),
      ],
      pagingStructures: paging),
    threadsPerCore: twoThreads,
    pageWalkers: CountRange(
      4, source: "\(book); Intel Architecture Day 2021, from memory", confidence: .high),
    secondLevelHitCycles: ParameterRange(
      9, lower: 7, upper: 9, source: "\(book): 8 cycles of access, 9 in all", confidence: .medium),
    walkNanoseconds: walk,
    isPageTableIsolated: false, hasBroadcastFlush: false,
    notes: ["With both logical CPUs of a core busy, each has about half of the second level."])
}
