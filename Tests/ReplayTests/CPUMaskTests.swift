import Testing
import TraceBuilding

@testable import Replay

@Suite struct CPUMaskTests {
  /// Sets of numbers do the same, slowly.
  @Test(arguments: [8, 64, 65, 200, 4096] as [Int])
  func equalsItsPlainTwin(_ cpus: Int) {
    var random = SplitMix64(seed: UInt64(cpus))
    for _ in 0..<200 {
      let (a, b) = (Self.some(cpus, &random), Self.some(cpus, &random))
      let (left, right) = (CPUMask(a), CPUMask(b))
      #expect(Self.list(left.intersection(right)) == a.intersection(b).sorted())
      #expect(Self.list(left.subtracting(right)) == a.subtracting(b).sorted())
      #expect(Self.list(left.filtered { $0 % 3 == 1 }) == a.filter { $0 % 3 == 1 }.sorted())
      var both = left
      both.formUnion(right)
      #expect(Self.list(both) == a.union(b).sorted())
      #expect(both.count == a.union(b).count)
      #expect(left.intersection(right).isEmpty == a.isDisjoint(with: b))
      #expect((left == right) == (a == b))
    }
  }

  private static func some(_ cpus: Int, _ random: inout SplitMix64) -> Set<Int> {
    let count = Int(random.next() % 6)
    return Set((0..<count).map { _ in Int(random.next() % UInt64(cpus)) })
  }

  private static func list(_ mask: CPUMask) -> [Int] {
    var list: [Int] = []
    mask.forEach { list.append($0) }
    return list
  }
}
