extension MachineModel {
  private static let dump = "CPUID 80000005h of EPYC 9655, InstLatx64"
  private static let guide = "AMD optimization guide 58455, from memory"

  /// Zen 5 (Turin).
  static let zen5 = MachineModel(
    name: "zen-5", summary: "AMD Zen 5 (EPYC 9005, 2024)", source: "\(dump); \(guide)",
    geometry: TLBGeometry(
      fetch: [TLBArray(64, .all, source: dump)],
      load: [TLBArray(96, .all, source: dump)],
      second: [
        TLBArray(
          entries: CountRange(4096, source: guide, confidence: .medium),
          ways: CountRange(16, source: "assumed: 256 sets", confidence: .low),
          sizes: [.small, .large]),
        TLBArray(64, .huge, source: "assumed as on Zen 4", confidence: .low),
      ],
      secondFetch: [
        TLBArray(
          entries: CountRange(2048, source: guide, confidence: .medium),
          ways: CountRange(8, source: "assumed: 256 sets", confidence: .low),
          sizes: [.small, .large])
      ],
      pagingStructures: paging),
    threadsPerCore: twoThreads,
    pageWalkers: CountRange(6, source: "assumed as on Zen 4", confidence: .low),
    secondLevelHitCycles: assumedHit, walkNanoseconds: walk,
    isPageTableIsolated: false, hasBroadcastFlush: true,
    notes: [
      "Stores use the load DTLB; the second level is apart for fetches and data.",
      "CPUID shows 128 and 64 entries for the second level: its 12 bits cannot hold the counts.",
    ])
}
