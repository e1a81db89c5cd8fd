import Replay
import TraceEvents

extension Simulation {
  private static let callsite: UInt64 = 0xffff_ffff_811a_0020
  private static let callback: UInt64 = 0xffff_ffff_811a_1000

  // MARK: Senders

  /// `arch_tlbbatch_flush`: everything on the CPUs of `mask`, whatever they have loaded.
  mutating func flushBatch(_ mask: UInt64, _ task: Int, _ cpu: Int) {
    guard mask != 0 else { return }
    summary.batchFlushes += isTracing ? 1 : 0
    flush(mask, process: Self.kernelMM, generation: 0, pages: -1, cpu)
    cpus[cpu].isBatchFlush = true
    if cpus[cpu].outstanding == 0 { noteFlushEnd(cpu) }
  }

  /// `flush_tlb_mm_range`: `pages` of a process, -1 all.
  mutating func flushMM(_ process: Int, pages: Int, _ cause: FlushCause, _ task: Int, _ cpu: Int) {
    // `tlb_single_page_flush_ceiling` is 33.
    let span = pages < 0 || pages > 33 ? -1 : Int64(pages)
    processes[process].generation += 1
    if policy.changesAnything {
      let lazy = lazyCPUs(processes[process].mask)
      policy.mmFlush(
        cause, full: span < 0, mask: Self.mask(processes[process].mask & ~lazy),
        lazy: Self.mask(lazy), cpu: cpu, task: task, time: cpus[cpu].clock)
      takeFlushes(task)
    }
    flush(
      processes[process].mask, process: process, generation: processes[process].generation,
      pages: span, cpu)
    cpus[cpu].isBatchFlush = false
  }

  /// `flush_tlb_multi`, or the CPU alone.
  private mutating func flush(
    _ mask: UInt64, process: Int, generation: UInt64, pages: Int64, _ cpu: Int
  ) {
    let own = UInt64(1) << UInt64(cpu)
    let others = mask & ~own
    let isLocal = mask & own != 0 && !cpus[cpu].isLazy
    cpus[cpu].flushBegan = cpus[cpu].clock
    guard others != 0 else {
      if isLocal { flushLocally(cpu, process, generation, pages) }
      return
    }
    count(4, nothing: false)
    emit(.tlbFlush, cpu, 4, UInt64(bitPattern: pages))
    cpus[cpu].clock += costs.flushSend
    var targets: UInt64 = 0
    var bits = others
    while bits != 0 {
      let target = bits.trailingZeroBitCount
      bits &= bits - 1
      if cpus[target].isLazy { continue }
      targets |= 1 << UInt64(target)
      let csd = 0xff11_0000_0a82_e000 + UInt64(target) << 19 + UInt64(cpu) << 5
      emit(
        .csdQueueCPU, cpu, UInt64(target), Self.callsite, FunctionName.flushTLBFunction, csd)
      cpus[cpu].clock += costs.flushPerTarget
      cpus[target].interrupts.append(
        ModelCPU.Interrupt(
          arrival: cpus[cpu].clock + costs.interruptDelivery, initiator: cpu, process: process,
          generation: generation, pages: pages))
    }
    cpus[cpu].outstanding += targets.nonzeroBitCount
    if targets.nonzeroBitCount == 1 {
      emit(.ipiSendCPU, cpu, UInt64(targets.trailingZeroBitCount), Self.callsite, Self.callback)
    } else if targets != 0 {
      emit(.ipiSendCPUMask, cpu, targets, Self.callsite, Self.callback)
    }
    if isLocal {
      emit(.csdFunctionEntry, cpu, FunctionName.flushTLBFunction, 0)
      flushLocally(cpu, process, generation, pages)
    }
  }

  private mutating func flushLocally(
    _ cpu: Int, _ process: Int, _ generation: UInt64, _ pages: Int64
  ) {
    cpus[cpu].clock += costs.localFlush
    guard process < 0 || cpus[cpu].loaded == process else { return }
    runFlush(cpu, process < 0 ? 2 : 3, generation, pages)
  }

  // MARK: Receivers

  /// The first interrupt that waits for `cpu` is taken: `flush_tlb_func`.
  mutating func takeInterrupt(_ cpu: Int) {
    let interrupt = cpus[cpu].interrupts.removeFirst()
    let csd = 0xff11_0000_0a82_e000 + UInt64(cpu) << 19 + UInt64(interrupt.initiator) << 5
    emit(.csdFunctionEntry, cpu, FunctionName.flushTLBFunction, csd)
    if isTracing { cpus[cpu].row += 1 }
    cpus[cpu].clock += costs.interruptAnswer
    if interrupt.process < 0 || interrupt.process == cpus[cpu].loaded {
      runFlush(cpu, 1, interrupt.generation, interrupt.pages)
    }
    let initiator = interrupt.initiator
    cpus[initiator].outstanding -= 1
    // A moment later, so that it is behind the answer for everybody.
    cpus[initiator].clock = max(cpus[initiator].clock, cpus[cpu].clock + 1)
    if cpus[initiator].outstanding == 0, cpus[initiator].isBatchFlush { noteFlushEnd(initiator) }
    cpus[cpu].clock += costs.interruptRest
  }

  /// Linux 6.12 `flush_tlb_func`, from the first early exit on.
  private mutating func runFlush(
    _ cpu: Int, _ reason: UInt64, _ generation: UInt64, _ pages: Int64
  ) {
    let loaded = cpus[cpu].loaded
    guard loaded >= 0 else { return }
    if cpus[cpu].isLazy, reason == 1 {
      switchMM(cpu, to: Self.kernelMM)
      return
    }
    let local = cpus[cpu].contexts[cpus[cpu].context].generation
    let newest = processes[loaded].generation
    if generation != 0, generation <= local { return }
    var flushed: Int64 = 0
    if local != newest {
      let isNext = pages != -1 && generation == local + 1 && generation == newest
      flushed = isNext ? pages : -1
      cpus[cpu].contexts[cpus[cpu].context].generation = newest
    }
    count(Int(reason), nothing: flushed == 0)
    emit(.tlbFlush, cpu, reason, UInt64(bitPattern: flushed))
  }

  private mutating func noteFlushEnd(_ cpu: Int) {
    flushTime.sum += cpus[cpu].clock - cpus[cpu].flushBegan
    flushTime.count += 1
    policy.typicalDuration = flushTime.sum / flushTime.count
  }

  // MARK: Unmapped pages

  /// `should_defer_flush`, `set_tlb_ubc_flush_pending`: an accessible entry of `process` is gone.
  mutating func noteUnmapped(_ process: Int, isWritable: Bool, _ task: Int, _ cpu: Int) {
    let own = UInt64(1) << UInt64(cpu)
    guard processes[process].mask & ~own != 0 else {
      // Nobody else runs it: one page, at once, on this CPU.
      return flushMM(process, pages: 1, .unknown, task, cpu)
    }
    processes[process].generation += 1
    processes[process].hasBatched = true
    if isWritable {
      tasks[task].unmappedWritable.mask |= processes[process].mask
      tasks[task].unmappedWritable.pages += 1
    } else {
      tasks[task].unmapped.mask |= processes[process].mask
      tasks[task].unmapped.pages += 1
    }
  }

  /// `try_to_unmap_flush`: the policy may put the read-only part off.
  mutating func flushUnmapped(_ cause: FlushCause, _ task: Int, _ cpu: Int) {
    let readOnly = tasks[task].unmapped
    let writable = tasks[task].unmappedWritable
    tasks[task].unmapped = UnmapPending()
    tasks[task].unmappedWritable = UnmapPending()
    guard !readOnly.isEmpty || !writable.isEmpty else { return }
    var mask = readOnly.mask | writable.mask
    if policy.changesAnything {
      policy.release(tasks[task].deferral)
      tasks[task].deferral = 0
      if !readOnly.isEmpty, offer(readOnly, true, cause, task, cpu) { mask = writable.mask }
      if !writable.isEmpty, offer(writable, false, cause, task, cpu) { mask &= ~writable.mask }
    }
    // What the policy wants done first comes first: both are steps of their own.
    takeFlushes(task)
    if tasks[task].flushes.isEmpty {
      flushBatch(mask, task, cpu)
    } else if mask != 0 {
      tasks[task].flushes.append(mask)
    }
  }

  /// Asks the policy about a batch; true if it is put off.
  private mutating func offer(
    _ part: UnmapPending, _ isReadOnly: Bool, _ cause: FlushCause, _ task: Int, _ cpu: Int
  ) -> Bool {
    let lazy = lazyCPUs(part.mask)
    var batch = LivePolicy.Batch()
    batch.cause = cause
    batch.cpu = cpu
    batch.task = task
    batch.time = cpus[cpu].clock
    batch.mask = Self.mask(part.mask & ~lazy)
    batch.lazy = Self.mask(lazy)
    batch.pages = part.pages
    batch.isReadOnly = isReadOnly
    let deferral = policy.unmapBatch(batch)
    if deferral != 0 { tasks[task].deferral = deferral }
    return deferral != 0
  }

  private func lazyCPUs(_ mask: UInt64) -> UInt64 {
    var lazy: UInt64 = 0
    var bits = mask
    while bits != 0 {
      let cpu = bits.trailingZeroBitCount
      bits &= bits - 1
      if cpus[cpu].isLazy { lazy |= 1 << UInt64(cpu) }
    }
    return lazy
  }

  static func mask(_ bits: UInt64) -> CPUMask {
    var mask = CPUMask()
    var rest = bits
    while rest != 0 {
      mask.insert(rest.trailingZeroBitCount)
      rest &= rest - 1
    }
    return mask
  }

  /// `flush_tlb_batched_pending`: calls that look at page tables flush first what a batch still owes.
  ///
  /// True if it did: the caller goes on in its next step.
  mutating func flushBatchedPending(_ process: Int, _ cause: FlushCause, _ task: Int, _ cpu: Int)
    -> Bool
  {
    guard processes[process].hasBatched else { return false }
    processes[process].hasBatched = false
    flushMM(process, pages: -1, cause, task, cpu)
    return true
  }
}
