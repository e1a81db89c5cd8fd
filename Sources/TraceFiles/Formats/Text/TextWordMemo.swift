import TraceEvents

/// Remembers what a value's bytes came to: a function's name, a set of flags, a task's name.
///
/// The same few hundred texts make up a trace; looking one up by its bytes costs a tenth of making a
/// `String`. Fixed size: what finds no room is worked out each time. A class because it owns memory.
final class TextWordMemo {
  private struct Slot {
    var hash: UInt64
    var start: UInt32
    var count: UInt16
    var used: Bool
    var value: UInt64
  }

  private static let slotCount = 8192
  private static let probesMax = 8
  private static let arenaSize = 1 << 19
  /// Bytes of a text that is worth a place.
  private static let lengthMax = 512

  private let slots: UnsafeMutablePointer<Slot>
  private let arena: UnsafeMutablePointer<UInt8>
  private var arenaUsed = 0

  init() {
    slots = .allocate(capacity: Self.slotCount)
    slots.initialize(
      repeating: Slot(hash: 0, start: 0, count: 0, used: false, value: 0), count: Self.slotCount)
    arena = .allocate(capacity: Self.arenaSize)
  }

  deinit {
    slots.deallocate()
    arena.deallocate()
  }

  /// What `text` comes to in `domain`; `work` finds out if it is new.
  @inline(__always)
  func value(_ text: TextSpan, _ domain: UInt64, _ work: () -> UInt64) -> UInt64 {
    let hash = text.hash(domain &+ 64)
    var index = Int(truncatingIfNeeded: hash &>> 20) & (Self.slotCount - 1)
    for _ in 0..<Self.probesMax {
      let slot = slots[index]
      if !slot.used {
        let value = work()
        keep(text, hash, value, at: index)
        return value
      }
      if slot.hash == hash,
        text.equals(TextSpan(start: arena + Int(slot.start), count: Int(slot.count)))
      {
        return slot.value
      }
      index = (index &+ 1) & (Self.slotCount - 1)
    }
    return work()
  }

  @inline(never)
  private func keep(_ text: TextSpan, _ hash: UInt64, _ value: UInt64, at index: Int) {
    guard text.count <= Self.lengthMax, text.count <= Self.arenaSize - arenaUsed else { return }
    (arena + arenaUsed).update(from: text.start, count: text.count)
    slots[index] = Slot(
      hash: hash, start: UInt32(arenaUsed), count: UInt16(text.count), used: true, value: value)
    arenaUsed += text.count
  }
}
