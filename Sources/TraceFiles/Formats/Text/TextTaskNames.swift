import TraceEvents

/// Tells the directory the names and groups of tasks, once for as long as they stay the same.
///
/// A small direct-mapped cache in front of it: a line whose task has the name it had in its last line
/// costs two comparisons. A class because it owns memory.
final class TextTaskNames {
  private struct Slot {
    var task: Int32
    var group: Int32
    var first: UInt64
    var last: UInt64
  }

  private static let slotCount = 1024

  private let slots: UnsafeMutablePointer<Slot>
  private let directory: EventDirectory

  init(_ directory: EventDirectory) {
    self.directory = directory
    slots = .allocate(capacity: Self.slotCount)
    slots.initialize(
      repeating: Slot(
        task: EventBatch.unknownTask, group: EventBatch.unknownTask, first: 0, last: 0),
      count: Self.slotCount)
  }

  deinit { slots.deallocate() }

  /// Notes what a line tells about its task.
  @inline(__always)
  func note(_ line: TextLine) {
    guard line.name.count > 0, line.task != EventBatch.unknownTask else { return }
    let slot = slots + Int(truncatingIfNeeded: line.task) & (Self.slotCount - 1)
    let first: UInt64
    let last: UInt64
    if line.nameIsColumn {
      first = UnsafeRawPointer(line.name.start).loadUnaligned(as: UInt64.self)
      last = UnsafeRawPointer(line.name.start + 8).loadUnaligned(as: UInt64.self)
    } else {
      first = line.name.hash(3)
      last = UInt64(line.name.count)
    }
    if slot.pointee.task == line.task, slot.pointee.first == first, slot.pointee.last == last,
      slot.pointee.group == line.group
    {
      return
    }
    slot.pointee = Slot(task: line.task, group: line.group, first: first, last: last)
    tell(line)
  }

  @inline(never)
  private func tell(_ line: TextLine) {
    // Blanks in front fill the column, or are the name's own: nothing tells them apart.
    let name = line.name.trimmedFront.text
    // `<...>`, `:1234`: how the kernel and perf print a task whose name they do not know.
    if !name.isEmpty, name != "<...>", name != ":\(line.task)" {
      directory.name(task: line.task, name, at: line.timestamp)
    }
    if line.group != EventBatch.unknownTask { directory.group(task: line.task, line.group) }
  }
}
