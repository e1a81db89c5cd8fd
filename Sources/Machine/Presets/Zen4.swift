extension MachineModel {
  private static let dump = "CPUID 80000005h, 80000006h and 80000019h of EPYC 9654, InstLatx64"

  /// Zen 4 (Genoa).
  static let zen4 = MachineModel(
    name: "zen-4", summary: "AMD Zen 4 (EPYC 9004, 2022)", source: dump,
    geometry: TLBGeometry(
      fetch: [TLBArray(64, .all, source: dump)],
      load: [TLBArray(72, .all, source: dump)],
      second: [
        TLBArray(
          entries: CountRange(3072, source: dump, confidence: .high),
          ways: CountRange(
            24, lower: 6, source: "128 sets assumed; way code of the dump not decoded",
            confidence: .low),
          sizes: [.small, .large]),
        TLBArray(
          entries: CountRange(64, source: dump, confidence: .high),
          ways: CountRange(64, lower: 4, source: "assumed", confidence: .low), sizes: .huge),
      ],
      secondFetch: [
        TLBArray(
          entries: CountRange(512, source: dump, confidence: .high),
          ways: CountRange(
            4, lower: 2, upper: 8, source: "\(dump); 2 for pages of 2 MiB", confidence: .medium),
          sizes: [.small, .large])
      ],
      pagingStructures: paging),
    threadsPerCore: twoThreads,
    pageWalkers: CountRange(
      6, source: "AMD optimization guide of Zen 3, from memory", confidence: .low),
    secondLevelHitCycles: assumedHit, walkNanoseconds: walk,
    isPageTableIsolated: false, hasBroadcastFlush: true,
    notes: [
      "Stores use the load DTLB; the second level is apart for fetches and data.",
      "perf's generic dTLB and iTLB events count other things here than on Intel.",
    ])
}
