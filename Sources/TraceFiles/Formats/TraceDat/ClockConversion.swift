/// How raw ring-buffer times become the times of an instance.
///
/// `t = raw; if TSC2NSEC: t = raw * mult >> shift (128-bit product); then + DATE * 1000 + OFFSET`
/// (trace-cmd 3.1 `lib/trace-cmd/trace-input.c`).
struct ClockConversion {
  var multiplier: UInt64 = 0
  var shift: UInt64 = 0
  /// Nanoseconds to add.
  var offset: Int64 = 0

  /// Whether there is nothing to do.
  var isIdentity: Bool { multiplier == 0 && offset == 0 }

  /// The converted time; wraps rather than traps on nonsense.
  func convert(_ raw: UInt64) -> UInt64 {
    var time = raw
    if multiplier != 0 {
      let product = raw.multipliedFullWidth(by: multiplier)
      // A shift of 64 or more only exists in a damaged file.
      let bits = min(shift, 63)
      time = bits == 0 ? product.low : product.high << (64 - bits) | product.low >> bits
    }
    return time &+ UInt64(bitPattern: offset)
  }
}
