import Testing

@testable import Machine

/// Against `/proc/zoneinfo` of the recorded runs in `Traces/luf-pairs` and beside it.
@Suite struct ZoneWatermarksTests {
  @Test func smallZonesHaveTheRecordedMarks() {
    let marks = ZoneWatermarks.zones(
      managed: [56_071, 23_765], minFreeKilobytes: 2220, scaleFactor: 10)
    #expect(marks[0] == ZoneWatermarks(min: 389, low: 486, high: 583, promo: 680))
    #expect(marks[1] == ZoneWatermarks(min: 165, low: 206, high: 247, promo: 288))
  }

  @Test func aLargeScaleFactorWidensTheGap() {
    let marks = ZoneWatermarks.zones(managed: [67_039], minFreeKilobytes: 8192, scaleFactor: 500)
    #expect(marks[0] == ZoneWatermarks(min: 2048, low: 5399, high: 8750, promo: 12_101))
  }

  @Test func theKernelChoosesTheRootOfMemory() {
    // 42 GB of managed memory: sqrt(44,040,192 KiB * 16).
    #expect(ZoneWatermarks.defaultMinFreeKilobytes(managedPages: 42 << 18) == 26_545)
    #expect(ZoneWatermarks.defaultMinFreeKilobytes(managedPages: 1) == 128)
    #expect(ZoneWatermarks.defaultMinFreeKilobytes(managedPages: 1 << 40) == 262_144)
  }

  @Test(arguments: [(39_895, 7), (16_085, 3), (67_039, 15), (1 << 18, 63), (1 << 24, 63), (1, 1)])
  func batchesAreThoseOfZoneinfo(_ managed: Int, _ batch: Int) {
    #expect(PerCPUPages.batchSize(managed: managed) == batch)
  }
}
