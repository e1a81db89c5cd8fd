import Testing
import TraceBuilding
import TraceEvents

@testable import Machine

/// Which node a frame is said to belong to.
@Suite struct NodeMapTests {
  static func zone(_ node: Int, _ start: UInt64, _ spanned: UInt64) -> ZoneSnapshot {
    var zone = ZoneSnapshot(node: node, name: "Normal")
    zone.startFrame = start
    zone.spanned = spanned
    zone.managed = spanned
    return zone
  }

  @Test func edgesBelongToTheirZones() {
    let map = NodeMap(
      MemorySnapshot(zones: [
        Self.zone(0, 1, 4095), Self.zone(0, 4096, 77_824), Self.zone(3, 81_920, 1000),
      ]))
    #expect(map.nodes == [0, 3])
    #expect(map.ranges.count == 2, "zones of one node that touch are one range")
    for (frame, node) in [(0, nil), (1, 0), (4096, 0), (81_919, 0), (81_920, 1), (82_919, 1)] {
      #expect(map.node(of: UInt64(frame)) == node, "frame \(frame)")
    }
    #expect(map.node(of: 82_920) == nil)
    #expect(map.node(ofAll: 81_000, 82_000) == nil)
    #expect(map.framesAmbiguous == 0)
  }

  @Test func framesOfTwoNodesAreNobodys() {
    let map = NodeMap(MemorySnapshot(zones: [Self.zone(0, 100, 300), Self.zone(1, 200, 100)]))
    #expect(map.framesAmbiguous == 100)
    #expect(map.node(of: 199) == 0)
    #expect(map.node(of: 200) == nil)
    #expect(map.node(of: 299) == nil)
    #expect(map.node(of: 300) == 0)
  }

  /// The sweep against asking every zone, for random zones.
  @Test(arguments: 0..<40) func sweepEqualsAskingEveryZone(_ seed: UInt64) {
    var random = SplitMix64(seed: seed)
    let zones = (0..<Int.random(in: 0...8, using: &random)).map { _ in
      Self.zone(
        Int.random(in: 0...3, using: &random), UInt64.random(in: 0...200, using: &random),
        UInt64.random(in: 1...60, using: &random))
    }
    let map = NodeMap(MemorySnapshot(zones: zones))
    var ambiguous: UInt64 = 0
    for frame in UInt64(0)..<300 {
      let owners = Set(
        zones.filter { $0.startFrame <= frame && frame < $0.startFrame + $0.spanned }.map(\.node))
      if owners.count > 1 { ambiguous += 1 }
      let expected = owners.count == 1 ? owners.first : nil
      #expect(map.node(of: frame).map { map.nodes[$0] } == expected, "frame \(frame)")
    }
    #expect(map.framesAmbiguous == ambiguous)
  }
}
