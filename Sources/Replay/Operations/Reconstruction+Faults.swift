import TraceEvents

extension Reconstruction {
  /// A fault on a user address, from user mode or from kernel code that touches user memory.
  mutating func fault(_ cpu: Int, _ time: UInt64, address: UInt64, error: UInt64, isUser: Bool) {
    let index = Int(cpus[cpu].taskIndex)
    let isKnown = error != EventBatch.absent
    let isWrite = isKnown && error & 2 != 0
    counts.addressSpaces.userFaults += 1
    tasks.states[index].fault(at: address, isProtection: isWrite && error & 1 != 0, isUser: isUser)
    if isWrite { counts.addressSpaces.writeFaults += 1 }
    if isWrite, error & 1 != 0 {
      counts.addressSpaces.writeProtectFaults += 1
      emit(.writeProtectFault, cpu, time)
    }
    guard address != EventBatch.absent else { return }
    let mayBeReplaced = watchesFault(at: address, of: index)
    guard mayBeReplaced || wanted.contains(.userFault) else { return }
    let process = tasks.states[index].process
    // A write that the mapping forbids ends in a signal, not in a working program.
    if isWrite { addressEvidence.prove(address, in: process) }
    let mayWrite = isWrite ? .recorded : addressEvidence.mayWrite(address, in: process)
    if mayWrite.isYes { counts.addressSpaces.mayWriteFaults += 1 }
    if mayWrite == .sharedReadOnly { counts.addressSpaces.readOnlyFaults += 1 }
    let record = UserFault(
      address: address, errorCode: isKnown ? UInt32(truncatingIfNeeded: error) : 0,
      mayWrite: mayWrite)
    if wanted.contains(.userFault) {
      emit(.userFault, cpu, time, subject: userFaults.append(record, at: nextPosition))
    }
    if mayBeReplaced {
      emit(.unmappedFault, cpu, time, subject: userFaults.append(record, at: nextPosition))
    }
  }

  /// Whether a fault is a ``Moment/Kind/unmappedFault``.
  private mutating func watchesFault(at address: UInt64, of task: Int) -> Bool {
    guard wanted.contains(.unmappedFault) else { return false }
    let isNext = tasks.states[task].hasUnmappedFault
    tasks.states[task].hasUnmappedFault = everUnmapped.mayHold(address >> 12)
    return isNext || tasks.states[task].hasUnmappedFault
  }

  /// `rss_stat` names the running task's mm by a hash: the only event that does.
  mutating func memoryCounted(_ cpu: Int, mm: UInt64, isCurrent: Bool) {
    guard isCurrent, mm != EventBatch.absent else { return }
    let process = UInt32(truncatingIfNeeded: mm) & 0xfff_ffff
    tasks.enter(max(process, 1), Int(cpus[cpu].taskIndex))
  }

  mutating func executed(_ cpu: Int) {
    let task = Int(cpus[cpu].taskIndex)
    addressEvidence.forget(tasks.states[task].process)
    tasks.enter(0, task)
  }
}
