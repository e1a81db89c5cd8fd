/// The deferrals of one replay that are open or that a free frame still carries.
///
/// Slots are given again, so memory follows the frames and not the length of the trace. Slot 0 is
/// "no deferral".
///
/// Invariant: a slot is in use while its deferral is open, a frame carries it, or its task may still
/// free frames with it; `framesPending` is the number of frames that carry an open one. Of settled
/// deferrals frames need not be taken away one by one: ``retire(_:)`` ends them all.
struct DeferralBook {
  private struct Record {
    var time: UInt64 = 0
    /// Its place in `open`; meaningless once settled.
    var position: UInt32 = 0
    /// Frames, and above them a bit each for the three below: many of these wait for their turn.
    private var bits: UInt32 = 0
    private static let framesMax: UInt32 = 1 << 29 - 1

    init() {}
    /// Of a deferral that its task holds.
    init(time: UInt64, position: UInt32, isCounted: Bool) {
      self.time = time
      self.position = position
      isOpen = true
      isHeld = true
      self.isCounted = isCounted
    }

    var frames: UInt32 {
      get { bits & Self.framesMax }
      set { bits = bits & ~Self.framesMax | min(newValue, Self.framesMax) }
    }
    var isOpen: Bool {
      get { bits[bit: 31] }
      set { bits[bit: 31] = newValue }
    }
    var isHeld: Bool {
      get { bits[bit: 30] }
      set { bits[bit: 30] = newValue }
    }
    var isCounted: Bool {
      get { bits[bit: 29] }
      set { bits[bit: 29] = newValue }
    }

    var isUnused: Bool { !isOpen && !isHeld && frames == 0 }
  }

  private var records: [Record] = [Record()]
  private var unused: [UInt32] = []
  /// Open deferrals, in no particular order.
  private(set) var open: [UInt32] = []
  /// Frames that are free with a flush owed.
  private(set) var framesPending = 0

  /// The number of the next deferral.
  var next: UInt32 { unused.last ?? UInt32(records.count) }

  /// Opens deferral ``next`` at `time`, held by its task; `isCounted` where it lies inside the window.
  mutating func add(at time: UInt64, isCounted: Bool) {
    let slot: UInt32
    if let free = unused.popLast() {
      slot = free
    } else {
      slot = UInt32(records.count)
      records.append(Record())
    }
    records[Int(slot)] = Record(
      time: time, position: UInt32(open.count), isCounted: isCounted)
    open.append(slot)
  }

  /// Ends a deferral; when it began and whether it counts, nil where it was not open.
  mutating func settle(_ slot: UInt32) -> (time: UInt64, isCounted: Bool)? {
    guard isOpen(slot) else { return nil }
    let record = records[Int(slot)]
    records[Int(slot)].isOpen = false
    framesPending -= Int(record.frames)
    let position = Int(record.position)
    let last = open.removeLast()
    if last != slot {
      open[position] = last
      records[Int(last)].position = record.position
    }
    if records[Int(slot)].isUnused { unused.append(slot) }
    return (record.time, record.isCounted)
  }

  /// Whether a deferral still waits for its fate.
  func isOpen(_ slot: UInt32) -> Bool { slot != 0 && records[Int(slot)].isOpen }

  /// Its task frees no more frames with it.
  mutating func release(_ slot: UInt32) {
    guard slot != 0, records[Int(slot)].isHeld else { return }
    records[Int(slot)].isHeld = false
    if records[Int(slot)].isUnused { unused.append(slot) }
  }

  /// The same of one that is settled and held, and no frame carries it: not even its record is looked
  /// at.
  mutating func release(settled slot: UInt32) { unused.append(slot) }

  /// Its task frees no more frames with it, and no frame carries it.
  mutating func retire(_ slot: UInt32) {
    guard slot != 0 else { return }
    if records[Int(slot)].isOpen { framesPending -= Int(records[Int(slot)].frames) }
    records[Int(slot)].frames = 0
    release(slot)
  }

  /// `count` frames more carry it now.
  mutating func attachFrames(_ count: Int, _ slot: UInt32) {
    guard slot != 0 else { return }
    records[Int(slot)].frames += UInt32(truncatingIfNeeded: count)
    if records[Int(slot)].isOpen { framesPending += count }
  }

  /// A frame no longer carries it.
  mutating func detachFrame(_ slot: UInt32) {
    guard slot != 0, records[Int(slot)].frames > 0 else { return }
    records[Int(slot)].frames -= 1
    if records[Int(slot)].isOpen {
      framesPending -= 1
    } else if records[Int(slot)].isUnused {
      unused.append(slot)
    }
  }
}
