/// The call chains of a trace, each distinct path once: a tree from the outermost caller inwards.
///
/// A chain is a number, that of its innermost frame; 0 is the chain without frames. Callers are
/// numbered before those they call, so whatever a path inherits from its callers is computed in one
/// ascending pass. Memory follows the distinct paths: 20 to 24 bytes a frame that no other path has
/// in its place.
public struct CallChains: Sendable {
  /// The chain without frames.
  public static let none: UInt32 = 0
  /// Frames kept of one chain, the innermost: a perf sample cannot hold more than 8,190.
  public static let depthMax = 1024
  /// Frames kept of all; of paths that come later the outer part is kept that is known.
  public static let framesMax = 1 << 26

  private var words: [UInt64] = [0]
  private var callers: [UInt32] = [0]
  private var slots: [UInt32] = Array(repeating: 0, count: 1024)
  /// Chains whose outermost frames were left out, and those that found no room.
  public private(set) var cut = 0
  /// See ``cut``.
  public private(set) var crowdedOut = 0

  /// No chains.
  public init() {}

  /// Chains are numbered below this.
  public var count: Int { words.count }

  /// The innermost frame: an address, or a function that ``FunctionName`` encodes.
  public func frame(_ chain: UInt32) -> UInt64 { words[Int(chain)] }

  /// The chain of the callers, which has one frame less.
  public func caller(_ chain: UInt32) -> UInt32 { callers[Int(chain)] }

  /// The frames, the innermost first.
  public func frames(_ chain: UInt32) -> [UInt64] {
    var found: [UInt64] = []
    var at = chain
    while at != Self.none {
      found.append(frame(at))
      at = caller(at)
    }
    return found
  }

  /// The number of a chain whose frames are given with the innermost first.
  public mutating func add(_ frames: [UInt64]) -> UInt32 {
    if frames.count > Self.depthMax { cut += 1 }
    var at = Self.none
    for index in (0..<min(frames.count, Self.depthMax)).reversed() {
      guard let next = child(of: at, frames[index]) else {
        crowdedOut += 1
        return at
      }
      at = next
    }
    return at
  }

  private mutating func child(of caller: UInt32, _ word: UInt64) -> UInt32? {
    var slot = Self.hash(caller, word) & (slots.count - 1)
    while slots[slot] != 0 {
      let found = Int(slots[slot])
      if callers[found] == caller, words[found] == word { return slots[slot] }
      slot = (slot + 1) & (slots.count - 1)
    }
    guard words.count < Self.framesMax else { return nil }
    let number = UInt32(words.count)
    slots[slot] = number
    words.append(word)
    callers.append(caller)
    if words.count * 4 > slots.count * 3 { grow() }
    return number
  }

  private mutating func grow() {
    slots = Array(repeating: 0, count: slots.count * 2)
    for number in 1..<words.count {
      var slot = Self.hash(callers[number], words[number]) & (slots.count - 1)
      while slots[slot] != 0 { slot = (slot + 1) & (slots.count - 1) }
      slots[slot] = UInt32(number)
    }
  }

  private static func hash(_ caller: UInt32, _ word: UInt64) -> Int {
    var mixed = (word ^ UInt64(caller) << 40 ^ UInt64(caller)) &* 0x9e37_79b9_7f4a_7c15
    mixed = (mixed ^ mixed >> 29) &* 0xbf58_476d_1ce4_e5b9
    return Int(truncatingIfNeeded: (mixed ^ mixed >> 32) >> 1)
  }
}
