/// Flushes of unmapped pages, one for every `pagesMax` pages that a task unmaps.
///
/// With 1 it is the kernel before batched unmap flushes; with more, batches that the kernel cut
/// shorter are put together and longer ones split. Pages are those that were freed with a batch, as
/// only these are visible; a batch without any counts as one page.
struct UnmapBatching: Sendable {
  /// The pages that a task has unmapped and not yet flushed.
  private struct Group {
    var number: UInt32 = 1
    var owing = CPUMask()
    var pages = 0
    /// CPUs of the batch whose pages are being freed, and whether none was yet.
    var current = CPUMask()
    var isCurrentUnseen = false
  }

  let pagesMax: Int
  private var groups: [Group] = []

  init(pagesMax: Int) { self.pagesMax = max(pagesMax, 1) }

  mutating func growTo(tasks: Int) {
    while groups.count < tasks { groups.append(Group()) }
  }

  /// Task `task` would flush a batch on `mask`. The flush that its previous batch makes due, if any.
  mutating func unmapBatch(of task: Int, on mask: CPUMask) -> CPUMask? {
    let due = closeCurrent(of: task)
    groups[task].current = mask
    groups[task].isCurrentUnseen = true
    return due
  }

  /// A page of the task's last batch is freed: the group that it joins, and the flush that is due
  /// then.
  mutating func freed(by task: Int) -> (group: UInt32, flush: CPUMask?) {
    groups[task].isCurrentUnseen = false
    let number = groups[task].number
    return (number, addPage(to: task))
  }

  /// A page of a group is needed: the flush, if it is still owed. A batch ends at the latest then.
  mutating func taken(_ number: UInt32, of task: Int) -> CPUMask? {
    groups[task].number == number && groups[task].pages > 0 ? flush(task) : nil
  }

  /// Nothing follows: the flush that `task` still owes.
  mutating func finish(_ task: Int) -> CPUMask? {
    closeCurrent(of: task) ?? (groups[task].pages > 0 ? flush(task) : nil)
  }

  private mutating func closeCurrent(of task: Int) -> CPUMask? {
    guard groups[task].isCurrentUnseen else { return nil }
    groups[task].isCurrentUnseen = false
    return addPage(to: task)
  }

  private mutating func addPage(to task: Int) -> CPUMask? {
    groups[task].owing.formUnion(groups[task].current)
    groups[task].pages += 1
    return groups[task].pages >= pagesMax ? flush(task) : nil
  }

  private mutating func flush(_ task: Int) -> CPUMask {
    let mask = groups[task].owing
    groups[task].owing.removeAll()
    groups[task].pages = 0
    groups[task].number &+= 1
    return mask
  }
}
