/// How often each of the first 64 CPUs was in a mask, for the last few masks: a column of bits a CPU.
///
/// So a mask is added in a dozen instructions, and not CPU by CPU in a loop whose end cannot be
/// predicted.
struct MaskTally {
  /// Masks before it has to be emptied.
  static let masksMax = 15

  private var ones: UInt64 = 0
  private var twos: UInt64 = 0
  private var fours: UInt64 = 0
  private var eights: UInt64 = 0
  private var masks = 0

  var isFull: Bool { masks == Self.masksMax }

  /// - Precondition: not full.
  @inline(__always)
  mutating func add(_ mask: UInt64) {
    var carry = ones & mask
    ones ^= mask
    var next = twos & carry
    twos ^= carry
    carry = fours & next
    fours ^= next
    next = eights & carry
    eights ^= carry
    precondition(next == 0, "more masks than \(Self.masksMax)")
    masks += 1
  }

  /// How often a CPU was in one.
  func count(_ cpu: Int) -> Int {
    guard cpu < UInt64.bitWidth else { return 0 }
    let place = UInt64(cpu)
    let low = Int(ones >> place & 1) + 2 * Int(twos >> place & 1)
    let high = Int(fours >> place & 1) + 2 * Int(eights >> place & 1)
    return low + 4 * high
  }

  /// CPUs that were in any.
  var cpus: UInt64 { ones | twos | fours | eights }
}
