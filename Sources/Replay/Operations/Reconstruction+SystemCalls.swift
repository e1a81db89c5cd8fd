import TraceEvents

/// Arguments of a system call that changes mappings, as its entry event gives them.
struct CallArguments {
  var address: UInt64 = 0
  var length: UInt64 = 0
  /// `prot` of mmap and mprotect, `behavior` of madvise, new length of mremap.
  var detail: UInt64 = 0
  var flags: UInt64 = 0
  var hasFlags = false

  /// PROT_WRITE (Linux `include/uapi/asm-generic/mman-common.h`, like the flags below).
  var isWritable: Bool { detail & 2 != 0 }
  /// MAP_FIXED; MAP_FIXED_NOREPLACE fails where something is mapped.
  var isReplacing: Bool { hasFlags && flags & 0x10 != 0 && flags & 0x10_0000 == 0 }
  /// What a mapping with these arguments permits.
  var mayWrite: MayWrite {
    if isWritable { return .recorded }
    guard hasFlags else { return .unknown }
    // MAP_TYPE 2 is MAP_PRIVATE, 0x20 MAP_ANONYMOUS.
    return flags & 0xf == 2 || flags & 0x20 != 0 ? .recorded : .sharedReadOnly
  }
}

extension Reconstruction {
  /// Handles the system-call kinds; false for others.
  mutating func systemCallEvent(
    _ kind: EventKind, _ batch: borrowing EventBatch, _ row: Int, _ cpu: Int, _ time: UInt64
  ) -> Bool {
    switch kind {
    case .rawSysEnter:
      let call = MemoryCall(number: batch.word(row, RawSyscall.number))
      areRawCallsTraced = true
      begin(call, Self.arguments(batch, row, RawSyscall.firstArgument), cpu, time)
    case .sysEnterMmap: enter(.mmap, batch, row, cpu, time)
    case .sysEnterMunmap: enter(.munmap, batch, row, cpu, time)
    case .sysEnterMprotect: enter(.mprotect, batch, row, cpu, time)
    case .sysEnterMadvise: enter(.madvise, batch, row, cpu, time)
    case .sysEnterMremap: enter(.mremap, batch, row, cpu, time)
    case .sysEnterWrite, .sysEnterPwrite64: begin(.write, nil, cpu, time)
    case .sysEnterExit, .sysEnterExitGroup: begin(.exit, nil, cpu, time)
    case .sysEnterMovePages: begin(.movePages, nil, cpu, time)
    case .rawSysExit:
      let number = batch.word(row, RawSyscall.number)
      areRawCallsTraced = true
      end(
        kind, MemoryCall(number: number), batch.word(row, RawSyscall.firstArgument), cpu, time,
        isFileWrite: number == 1 || number == 18)
    case .sysExitMmap: exit(kind, .mmap, batch, row, cpu, time)
    case .sysExitMunmap: exit(kind, .munmap, batch, row, cpu, time)
    case .sysExitMprotect: exit(kind, .mprotect, batch, row, cpu, time)
    case .sysExitMadvise: exit(kind, .madvise, batch, row, cpu, time)
    case .sysExitMremap: exit(kind, .mremap, batch, row, cpu, time)
    case .sysExitMovePages: exit(kind, .movePages, batch, row, cpu, time)
    case .sysExitWrite, .sysExitPwrite64: exit(kind, .write, batch, row, cpu, time)
    default: return false
    }
    return true
  }

  private mutating func enter(
    _ call: MemoryCall, _ batch: borrowing EventBatch, _ row: Int, _ cpu: Int, _ time: UInt64
  ) {
    areNamedCallsTraced = true
    var arguments = CallArguments()
    arguments.address = batch.value(row, MemorySyscall.address) ?? 0
    arguments.length = batch.value(row, MemorySyscall.length) ?? 0
    if call == .mmap || call == .mprotect || call == .madvise || call == .mremap {
      arguments.detail = batch.value(row, MemorySyscall.detail) ?? 0
    }
    if call == .mmap || call == .mremap, let flags = batch.value(row, MemorySyscall.flags) {
      arguments.flags = flags
      arguments.hasFlags = true
    }
    begin(call, arguments, cpu, time)
  }

  private mutating func exit(
    _ kind: EventKind, _ call: MemoryCall, _ batch: borrowing EventBatch, _ row: Int, _ cpu: Int,
    _ time: UInt64
  ) {
    areNamedCallsTraced = true
    end(
      kind, call, batch.word(row, SyscallExit.result), cpu, time, isFileWrite: call == .write)
  }

  private static func arguments(
    _ batch: borrowing EventBatch, _ row: Int, _ first: Int
  ) -> CallArguments {
    let flags = batch.value(row, first + 3)
    return CallArguments(
      address: batch.value(row, first) ?? 0, length: batch.value(row, first + 1) ?? 0,
      detail: batch.value(row, first + 2) ?? 0, flags: flags ?? 0, hasFlags: flags != nil)
  }

  private mutating func begin(
    _ call: MemoryCall, _ arguments: CallArguments?, _ cpu: Int, _ time: UInt64
  ) {
    areCallsTraced = true
    let task = Int(cpus[cpu].taskIndex)
    // Raw and named events of one call follow each other: it is counted once.
    if areRawCallsTraced, areNamedCallsTraced, tasks.states[task].call == call { return }
    tasks.states[task].begin(call, arguments)
    switch call {
    case .munmap: counts.addressSpaces.munmaps += 1
    case .mprotect: counts.addressSpaces.mprotects += 1
    case .mremap: counts.addressSpaces.mremaps += 1
    case .madvise: counts.addressSpaces.madvises += 1
    case .mmap: countMapping(tasks.states[task].arguments, cpu, time)
    default: return
    }
    tellRange(call, cpu, time, isEnd: false)
    if call == .munmap, wanted.contains(.userFault) {
      addressEvidence.unmap(
        tasks.states[task].arguments.address, tasks.states[task].arguments.length,
        in: tasks.states[task].process)
    }
  }

  private mutating func countMapping(_ arguments: CallArguments, _ cpu: Int, _ time: UInt64) {
    counts.addressSpaces.mmaps += 1
    if arguments.isReplacing { counts.addressSpaces.fixedMmaps += 1 }
    guard arguments.isWritable else { return }
    counts.addressSpaces.writableMmaps += 1
    emit(.writableMapping, cpu, time)
  }

  /// Tells that a range is being unmapped, protected or mapped over.
  private mutating func tellRange(_ call: MemoryCall, _ cpu: Int, _ time: UInt64, isEnd: Bool) {
    let kind: Moment.Kind = call == .mmap ? .fixedMapping : .unmapRange
    guard wanted.contains(kind) else { return }
    let arguments = tasks.states[Int(cpus[cpu].taskIndex)].arguments
    if call == .mmap, !arguments.isReplacing { return }
    var record = AddressRange(
      address: arguments.address, length: arguments.length, detail: arguments.detail, call: call,
      isEnd: isEnd)
    record.mayHoldMigrated = record.pages.map { everUnmapped.mayHold($0) } ?? false
    let number = addressRanges.append(record, at: nextPosition)
    emit(kind, cpu, time, subject: number)
  }

  private mutating func end(
    _ kind: EventKind, _ call: MemoryCall, _ result: UInt64, _ cpu: Int, _ time: UInt64,
    isFileWrite: Bool
  ) {
    let task = Int(cpus[cpu].taskIndex)
    areCallEndsTraced = true
    let isTwin = areRawCallsTraced && areNamedCallsTraced && tasks.states[task].endedCall == call
    let isInCall = tasks.states[task].call == call && call != .none
    guard isInCall || !isTwin else { return }
    if isFileWrite { emit(.fileWriteEnd, cpu, time) }
    tasks.states[task].call = .none
    tasks.states[task].endedCall = call
    guard isInCall else {
      // The end of a call whose beginning was before the trace, or was not recorded.
      if areCallsTraced { counts.events.failToExplain(kind) }
      return
    }
    let signed = Int64(bitPattern: result)
    guard result != EventBatch.absent, signed >= 0 || signed < -4095 else { return }
    switch call {
    case .munmap, .mprotect, .madvise, .mremap, .mmap:
      tellRange(call, cpu, time, isEnd: true)
      if wanted.contains(.userFault) { learn(call, tasks.states[task], result) }
    default: break
    }
  }

  /// What a call that did not fail says about what its range permits.
  private mutating func learn(_ call: MemoryCall, _ task: TaskState, _ result: UInt64) {
    let arguments = task.arguments
    switch call {
    case .mmap:
      addressEvidence.map(result, arguments.length, in: task.process, arguments.mayWrite)
    case .mprotect where arguments.isWritable:
      addressEvidence.map(arguments.address, arguments.length, in: task.process, .recorded)
    case .mremap:
      let old = addressEvidence.mayWrite(arguments.address, in: task.process)
      addressEvidence.unmap(arguments.address, arguments.length, in: task.process)
      addressEvidence.map(result, arguments.detail, in: task.process, old)
    default: break
    }
  }
}
