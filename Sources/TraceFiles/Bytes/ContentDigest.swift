/// A 64-bit digest of bytes, to tell whether two traces are the same one: XXH64 with seed 0, as
/// `xxhsum -H64` prints it (xxHash specification, version 0.1.1).
///
/// It protects against mistakes, not against somebody who wants two traces to look alike.
struct ContentDigest {
  private static let primes: (UInt64, UInt64, UInt64, UInt64, UInt64) = (
    0x9e37_79b1_85eb_ca87, 0xc2b2_ae3d_27d4_eb4f, 0x1656_67b1_9e37_79f9, 0x85eb_ca77_c2b2_ae63,
    0x27d4_eb2f_1656_67c5
  )
  private static let stripe = 32

  private var lanes: (UInt64, UInt64, UInt64, UInt64)
  private var length: UInt64 = 0
  /// Bytes that do not fill a stripe yet.
  private var rest: [UInt8] = []

  init() {
    let p = Self.primes
    lanes = (p.0 &+ p.1, p.1, 0, 0 &- p.0)
  }

  /// Takes more bytes in.
  mutating func absorb(_ bytes: ByteView) {
    length &+= UInt64(bytes.count)
    var next = 0
    if !rest.isEmpty {
      while next < bytes.count, rest.count < Self.stripe {
        rest.append(bytes.u8(next))
        next += 1
      }
      guard rest.count == Self.stripe else { return }
      rest.withUnsafeBytes { full in
        guard let start = full.baseAddress else { return }
        absorbStripe(ByteView(start: start, count: Self.stripe), 0)
      }
      rest.removeAll(keepingCapacity: true)
    }
    while bytes.count - next >= Self.stripe {
      absorbStripe(bytes, next)
      next += Self.stripe
    }
    while next < bytes.count {
      rest.append(bytes.u8(next))
      next += 1
    }
  }

  /// The digest of all bytes so far.
  var value: UInt64 {
    let p = Self.primes
    var hash: UInt64
    if length >= UInt64(Self.stripe) {
      hash =
        Self.rotated(lanes.0, 1) &+ Self.rotated(lanes.1, 7) &+ Self.rotated(lanes.2, 12)
        &+ Self.rotated(lanes.3, 18)
      for lane in [lanes.0, lanes.1, lanes.2, lanes.3] {
        hash = (hash ^ Self.round(0, lane)) &* p.0 &+ p.3
      }
    } else {
      hash = p.4
    }
    hash = Self.finished(hash &+ length, rest)
    hash = (hash ^ hash &>> 33) &* p.1
    hash = (hash ^ hash &>> 29) &* p.2
    return hash ^ hash &>> 32
  }

  @inline(__always)
  private mutating func absorbStripe(_ bytes: ByteView, _ at: Int) {
    lanes.0 = Self.round(lanes.0, UInt64(littleEndian: bytes.u64(at)))
    lanes.1 = Self.round(lanes.1, UInt64(littleEndian: bytes.u64(at + 8)))
    lanes.2 = Self.round(lanes.2, UInt64(littleEndian: bytes.u64(at + 16)))
    lanes.3 = Self.round(lanes.3, UInt64(littleEndian: bytes.u64(at + 24)))
  }

  /// The last bytes, fewer than a stripe: eight at a time, then four, then one.
  private static func finished(_ begun: UInt64, _ rest: [UInt8]) -> UInt64 {
    let p = primes
    var hash = begun
    var next = 0
    func word(_ bytes: Int) -> UInt64 {
      (0..<bytes).reduce(0) { $0 | UInt64(rest[next + $1]) << UInt64(8 * $1) }
    }
    while rest.count - next >= 8 {
      hash = rotated(hash ^ round(0, word(8)), 27) &* p.0 &+ p.3
      next += 8
    }
    if rest.count - next >= 4 {
      hash = rotated(hash ^ (word(4) &* p.0), 23) &* p.1 &+ p.2
      next += 4
    }
    while next < rest.count {
      hash = rotated(hash ^ (UInt64(rest[next]) &* p.4), 11) &* p.0
      next += 1
    }
    return hash
  }

  @inline(__always)
  private static func round(_ lane: UInt64, _ input: UInt64) -> UInt64 {
    rotated(lane &+ input &* primes.1, 31) &* primes.0
  }

  @inline(__always)
  private static func rotated(_ value: UInt64, _ bits: UInt64) -> UInt64 {
    value &<< bits | value &>> (64 &- bits)
  }
}

extension TraceInput {
  /// What tells this trace from others: `xxh64:` and 16 hexadecimal digits over its bytes, those of
  /// perf's directory form one file after the other. A binary trace that is compressed as a whole has
  /// the digest of what is inside.
  public var contentDigest: String {
    var digest = ContentDigest()
    for part in files { digest.absorb(part.file.bytes) }
    return Self.named(digest)
  }

  /// The same of other bytes, such as those of a policy file.
  public static func contentDigest(of bytes: [UInt8]) -> String {
    var digest = ContentDigest()
    bytes.withUnsafeBytes { bytes in
      if let start = bytes.baseAddress {
        digest.absorb(ByteView(start: start, count: bytes.count))
      }
    }
    return named(digest)
  }

  private static func named(_ digest: ContentDigest) -> String {
    let digits = String(digest.value, radix: 16)
    return "xxh64:" + String(repeating: "0", count: 16 - digits.count) + digits
  }
}
