#if canImport(Glibc)
  import Glibc
#endif

/// Student's t distribution.
public enum StudentT {
  /// The probability of |T| >= |`t`| with `degrees` degrees of freedom (any number > 0).
  public static func twoSided(_ t: Double, degrees: Double) -> Double {
    guard degrees > 0, !t.isNaN else { return .nan }
    if t.isInfinite { return 0 }
    return SpecialFunctions.incompleteBeta(degrees / (degrees + t * t), degrees / 2, 0.5)
  }

  /// The t > 0 that |T| exceeds with probability `1 - confidence`.
  public static func quantile(confidence: Double, degrees: Double) -> Double {
    guard degrees > 0, confidence > 0, confidence < 1 else { return .nan }
    var low = 0.0
    var high = 1.0
    while twoSided(high, degrees: degrees) > 1 - confidence, high < 1e15 { high *= 2 }
    // 200 halvings reach neighbouring numbers from any start.
    for _ in 0..<200 {
      let middle = (low + high) / 2
      if middle <= low || middle >= high { break }
      if twoSided(middle, degrees: degrees) > 1 - confidence { low = middle } else { high = middle }
    }
    return (low + high) / 2
  }
}

/// Fisher's F distribution.
public enum FisherF {
  /// The probability of F >= `f` with `above` and `below` degrees of freedom.
  public static func upper(_ f: Double, above: Double, below: Double) -> Double {
    guard above > 0, below > 0, !f.isNaN else { return .nan }
    if f <= 0 { return 1 }
    if f.isInfinite { return 0 }
    return SpecialFunctions.incompleteBeta(below / (below + above * f), below / 2, above / 2)
  }
}

/// The normal distribution.
public enum Normal {
  /// The probability of |Z| >= |`z`|.
  public static func twoSided(_ z: Double) -> Double { erfc(abs(z) / 2.0.squareRoot()) }

  /// The z > 0 that |Z| exceeds with probability `1 - confidence`.
  public static func quantile(confidence: Double) -> Double {
    guard confidence > 0, confidence < 1 else { return .nan }
    var low = 0.0
    var high = 40.0
    for _ in 0..<200 {
      let middle = (low + high) / 2
      if middle <= low || middle >= high { break }
      if twoSided(middle) > 1 - confidence { low = middle } else { high = middle }
    }
    return (low + high) / 2
  }
}
