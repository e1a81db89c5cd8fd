extension MachineModel {
  private static let dump = "CPUID leaf 18h of Xeon Gold 6330, InstLatx64"
  private static let manual =
    "Intel optimization manual, from memory; the dump lists 8 entries only"

  /// Ice Lake-SP.
  static let iceLakeSP = MachineModel(
    name: "ice-lake-sp", summary: "Intel Ice Lake-SP (Xeon Scalable, 2021)", source: dump,
    geometry: TLBGeometry(
      fetch: [
        TLBArray(128, ways: 8, .small, source: manual, confidence: .medium),
        TLBArray(16, ways: 8, .large, source: manual, confidence: .medium),
      ],
      load: [
        TLBArray(64, ways: 4, .small, source: dump),
        TLBArray(32, ways: 4, .large, source: dump),
        TLBArray(8, .huge, source: dump),
      ],
      store: [TLBArray(16, .all, source: dump)],
      second: [
        TLBArray(1024, ways: 8, [.small, .large], source: dump),
        TLBArray(1024, ways: 8, [.small, .huge], source: dump),
      ],
      pagingStructures: paging),
    threadsPerCore: twoThreads,
    pageWalkers: CountRange(2, source: "Intel optimization manual, from memory", confidence: .low),
    secondLevelHitCycles: assumedHit, walkNanoseconds: walk,
    isPageTableIsolated: false, hasBroadcastFlush: false)
}
