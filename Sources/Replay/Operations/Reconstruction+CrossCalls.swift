import TraceEvents

extension Reconstruction {
  /// What one CPU asks others to run: shootdowns by their function, others told apart from them.
  mutating func crossCall(
    _ kind: EventKind, _ batch: borrowing EventBatch, _ row: Int, _ cpu: Int, _ time: UInt64
  ) {
    switch kind {
    case .csdQueueCPU:
      guard isFlush(kind, batch.word(row, CSDQueue.function)) else { return }
      requestQueued(
        cpu, time, target: batch.word(row, CSDQueue.cpu), csd: batch.word(row, CSDQueue.csd))
    case .csdFunctionEntry:
      guard isFlush(kind, batch.word(row, CSDFunction.function)) else {
        let csd = batch.word(row, CSDFunction.csd)
        if csd != 0, csd != EventBatch.absent, context.window.contains(time) {
          victims?.ran(batch.word(row, CSDFunction.function))
        }
        return
      }
      functionEntered(cpu, time, csd: batch.word(row, CSDFunction.csd))
    case .csdFunctionExit: _ = isFlush(kind, batch.word(row, CSDFunction.function))
    default: interruptSent(kind, batch, row, cpu)
    }
  }

  /// Whether a `csd` event is of a shootdown; counts it as another call if not.
  private mutating func isFlush(_ kind: EventKind, _ function: UInt64) -> Bool {
    guard let flush = context.flushFunction else {
      // Which word is `flush_tlb_func` is not known, so neither is what this event tells of.
      counts.events.failToExplain(kind)
      return false
    }
    if function != flush { counts.events.noteOtherCall(kind) }
    return function == flush
  }

  /// An interrupt for a queue of functions. The initiator of a shootdown sends it between its
  /// announcement and its own flush (Linux 6.12 `kernel/smp.c` `smp_call_function_many_cond`), and
  /// only to CPUs whose queue was empty: a receiver that it names is one, others may be as well.
  private mutating func interruptSent(
    _ kind: EventKind, _ batch: borrowing EventBatch, _ row: Int, _ cpu: Int
  ) {
    let slot = Int(cpus[cpu].open &- shootdownsBase)
    guard cpus[cpu].open != Self.noShootdown, slot < shootdowns.count, !shootdowns[slot].isLocal
    else {
      counts.events.noteOtherCall(kind)
      return
    }
    guard !areRequestsTraced, !areRunsTraced else { return }
    let target = batch.word(row, IPISend.target)
    guard target != EventBatch.absent else { return }
    if kind == .ipiSendCPU {
      announce(target, cpu, slot)
      return
    }
    for limb in 0..<Int(target & 0xffff_ffff) {
      guard var bits = batch.maskLimb(target, limb) else { return }
      while bits != 0 {
        announce(UInt64(limb * 64 + bits.trailingZeroBitCount), cpu, slot)
        bits &= bits - 1
      }
    }
  }

  private mutating func announce(_ target: UInt64, _ cpu: Int, _ slot: Int) {
    guard target < UInt64(cpus.count), Int(target) != cpu else { return }
    counts.waitWindow.receiversAnnounced += 1
    shootdowns[slot].receivers.insert(Int(target))
    matcher.announce(Int(target), by: cpu)
  }
}
