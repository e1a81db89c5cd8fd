/// CPU numbers in the kernel's list form, `0-3,8` (Linux 6.12 `lib/bitmap-str.c`,
/// `bitmap_parselist`, without its strides).
public struct CPUList: Sendable, Equatable {
  /// One more than the highest number that a trace can have.
  public static let limit = 4096

  private var isMember: [Bool] = []

  /// Parses `0-3,8`.
  public init(_ text: String) throws(FilterError) {
    for part in text.split(separator: ",", omittingEmptySubsequences: false) {
      let ends = part.split(separator: "-", omittingEmptySubsequences: false)
      guard ends.count <= 2, let first = Self.number(ends[0]), let last = Self.number(ends.last),
        first <= last
      else {
        throw FilterError("\"\(part)\" is no CPU or range of CPUs: a list is like 0-3,8")
      }
      guard last < Self.limit else {
        throw FilterError("CPU \(last) is beyond \(Self.limit - 1)")
      }
      if isMember.count <= last {
        isMember += [Bool](repeating: false, count: last + 1 - isMember.count)
      }
      for cpu in first...last { isMember[cpu] = true }
    }
  }

  private static func number(_ digits: Substring?) -> Int? {
    guard let digits, !digits.isEmpty, digits.utf8.allSatisfy({ (0x30...0x39).contains($0) })
    else { return nil }
    return Int(digits)
  }

  /// Whether `cpu` is one of them.
  @inline(__always)
  public func contains(_ cpu: Int) -> Bool { cpu >= 0 && cpu < isMember.count && isMember[cpu] }

  /// The CPUs, ascending.
  public var cpus: [Int] { isMember.indices.filter { isMember[$0] } }

  /// The list form, shortest.
  public var text: String { Self.text(cpus) }

  /// Ascending numbers in list form.
  public static func text(_ cpus: [Int]) -> String {
    var parts: [String] = []
    var index = 0
    while index < cpus.count {
      var end = index
      while end + 1 < cpus.count, cpus[end + 1] == cpus[end] + 1 { end += 1 }
      parts.append(end == index ? "\(cpus[index])" : "\(cpus[index])-\(cpus[end])")
      index = end + 1
    }
    return parts.joined(separator: ",")
  }
}
