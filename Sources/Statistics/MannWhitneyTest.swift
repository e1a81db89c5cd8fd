/// The Mann-Whitney U test: does one sample tend to greater values? It asks nothing of the shape.
///
/// H. B. Mann and D. R. Whitney, Ann. Math. Stat. 18 (1947) 50. Exact without ties and with at most
/// ``exactMax`` values a side; else the normal approximation with the correction for ties and for
/// continuity.
public struct MannWhitneyTest: Sendable, Equatable {
  /// Pairs in which the first sample's value is the greater; half a pair for equal ones.
  public let u: Double
  /// All pairs.
  public let pairs: Int
  /// Two-sided probability of such a U where the samples come from one distribution.
  public let probability: Double
  /// Whether ``probability`` is exact.
  public let isExact: Bool

  /// Most values of a side for which every arrangement is counted.
  public static let exactMax = 25

  /// The test; nil where a sample is empty.
  public init?(_ first: Sample, _ second: Sample) {
    guard first.count > 0, second.count > 0 else { return nil }
    let (rankSum, tieTerm) = Self.ranks(first.sorted, second.sorted)
    let (n, m) = (Double(first.count), Double(second.count))
    u = rankSum - n * (n + 1) / 2
    pairs = first.count * second.count
    isExact = tieTerm == 0 && max(first.count, second.count) <= Self.exactMax
    let extreme = max(u, Double(pairs) - u)
    if isExact {
      probability = Self.exact(first.count, second.count, atLeast: Int(extreme))
      return
    }
    let total = n + m
    let variance = n * m / 12 * (total + 1 - tieTerm / (total * (total - 1)))
    guard variance > 0 else {
      probability = 1
      return
    }
    let z = max(0, extreme - n * m / 2 - 0.5) / variance.squareRoot()
    probability = Normal.twoSided(z)
  }

  /// The first sample's rank sum, and the sum of t^3 - t over groups of t equal values.
  private static func ranks(_ first: [Double], _ second: [Double]) -> (Double, Double) {
    var rankSum = 0.0
    var tieTerm = 0.0
    var (i, j) = (0, 0)
    while i < first.count || j < second.count {
      let value = min(
        i < first.count ? first[i] : .infinity, j < second.count ? second[j] : .infinity)
      let (i0, j0) = (i, j)
      while i < first.count, first[i] == value { i += 1 }
      while j < second.count, second[j] == value { j += 1 }
      let size = Double(i - i0 + j - j0)
      rankSum += Double(i - i0) * (Double(i0 + j0) + (size + 1) / 2)
      tieTerm += size * (size * size - 1)
    }
    return (rankSum, tieTerm)
  }

  /// Twice the share of the arrangements of `n` and `m` values with U >= `extreme`, at most 1.
  private static func exact(_ n: Int, _ m: Int, atLeast extreme: Int) -> Double {
    // ways[u] over the number of arrangements: the Gaussian binomial, multiplied out factor by
    // factor: (1 - q^(m+1)) ... (1 - q^(m+n)) / ((1 - q) ... (1 - q^n)). Doubles hold these
    // counts: C(50, 25) is 1.3e14.
    let top = n * m
    var ways = [Double](repeating: 0, count: top + 1)
    ways[0] = 1
    for factor in 1...n {
      for u in stride(from: top, through: m + factor, by: -1) {
        ways[u] -= ways[u - m - factor]
      }
      if factor <= top { for u in factor...top { ways[u] += ways[u - factor] } }
    }
    let all = ways.reduce(0, +)
    let tail = ways[min(extreme, top)...top].reduce(0, +)
    return min(1, 2 * tail / all)
  }
}
