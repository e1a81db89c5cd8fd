extension MachineModel {
  private static let dump = "CPUID leaf 2 of Xeon Gold 6154 and Gold 5215, InstLatx64"
  private static let manual = "Intel optimization manual, from memory"

  /// Skylake-SP: the last with kernel page-table isolation.
  static let skylakeSP = MachineModel(
    name: "skylake-sp", summary: "Intel Skylake-SP (Xeon Scalable, 2017), page-table isolation on",
    source: dump,
    geometry: TLBGeometry(
      fetch: [
        TLBArray(
          entries: CountRange(
            128, lower: 64, source: "\(manual): 128 x 8; \(dump), B5h: 64 x 8 a thread",
            confidence: .low),
          ways: CountRange(8, source: "\(dump), B5h", confidence: .high), sizes: .small),
        TLBArray(8, .large, source: "\(dump), 76h: 8, fully associative, a thread"),
      ],
      load: [
        TLBArray(64, ways: 4, .small, source: "\(dump), 03h"),
        TLBArray(32, ways: 4, .large, source: "\(dump), 63h"),
        TLBArray(4, ways: 4, .huge, source: "\(dump), 63h"),
      ],
      second: [
        TLBArray(
          entries: CountRange(1536, source: "\(dump), C3h", confidence: .high),
          ways: CountRange(
            12, lower: 6,
            source: "\(manual), and ChampSim's default STLB (128 x 12); \(dump), C3h: 6-way",
            confidence: .medium),
          sizes: [.small, .large]),
        TLBArray(16, ways: 4, .huge, source: "\(dump), C3h"),
      ],
      pagingStructures: paging),
    threadsPerCore: twoThreads,
    pageWalkers: CountRange(2, source: manual, confidence: .low),
    secondLevelHitCycles: assumedHit, walkNanoseconds: walk,
    isPageTableIsolated: true, hasBroadcastFlush: false,
    notes: ["Stores use the load DTLB."])
}
