/// Shootdowns in the order in which they began.
///
/// They are lent and never copied: one holds seven masks, and each of the replays looks at each.
struct ShootdownQueue: ~Copyable {
  private var elements: UnsafeMutablePointer<Shootdown>
  private var capacity = 256
  private(set) var count = 0

  init() { elements = .allocate(capacity: capacity) }

  deinit {
    elements.deinitialize(count: count)
    elements.deallocate()
  }

  subscript(slot: Int) -> Shootdown {
    _read {
      precondition(slot >= 0 && slot < count, "no such shootdown")
      yield elements[slot]
    }
    _modify {
      precondition(slot >= 0 && slot < count, "no such shootdown")
      yield &elements[slot]
    }
  }

  /// The same by its address: what is read through the other one is moved to the stack first.
  subscript(lent slot: Int) -> Shootdown {
    unsafeAddress {
      precondition(slot >= 0 && slot < count, "no such shootdown")
      return UnsafePointer(elements + slot)
    }
  }

  var indices: Range<Int> { 0..<count }

  mutating func append(_ shootdown: consuming Shootdown) {
    if count == capacity { grow() }
    (elements + count).initialize(to: shootdown)
    count += 1
  }

  /// Takes away the first `dropped`.
  mutating func removeFirst(_ dropped: Int) {
    precondition(dropped <= count, "fewer shootdowns than that")
    elements.deinitialize(count: dropped)
    elements.moveInitialize(from: elements + dropped, count: count - dropped)
    count -= dropped
  }

  private mutating func grow() {
    let wider = UnsafeMutablePointer<Shootdown>.allocate(capacity: capacity * 2)
    wider.moveInitialize(from: elements, count: count)
    elements.deallocate()
    elements = wider
    capacity *= 2
  }
}
