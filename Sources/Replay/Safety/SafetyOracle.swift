/// Judges a policy's run by what it did, not by what it meant: hears every moment of the trace and
/// every flush that really happens, and keeps no state of the policy's.
///
/// A batch flush that does not happen leaves its CPUs with translations to the pages that the batch
/// unmapped; frames that are freed with it are stale on these CPUs until each has flushed.
struct SafetyOracle {
  /// The moments that it must see.
  static let listens = MomentKindSet([.switchedMM])

  private struct Unmap {
    var batch: UInt32 = 0
    /// Deferral of the stale-translation check; 0 where the batch was flushed.
    var serial: UInt32 = 0
  }

  private var stale: StaleTranslationOracle
  private var unmaps: [Unmap] = []
  /// The same for flushes of one mm.
  private var mmUnmaps: [Unmap] = []
  /// Whether the frame that is being handed out goes back to the process that freed it.
  private var isRecycled = false
  private var serials: [UInt32] = []
  private(set) var verdict = SafetyVerdict()

  init(_ context: ReplayContext) { stale = StaleTranslationOracle(cpuCount: context.cpuCount) }

  /// Room for so many tasks and frames.
  mutating func growTo(tasks: Int, frames: Int) {
    while unmaps.count < tasks {
      unmaps.append(Unmap())
      mmUnmaps.append(Unmap())
    }
    if serials.count < frames {
      serials.append(contentsOf: repeatElement(0, count: frames - serials.count))
    }
  }

  /// A recorded shootdown, which happens in this run if `isDone`.
  mutating func shootdown(_ shootdown: borrowing Shootdown, isDone: Bool) {
    switch shootdown.kind {
    case .mm:
      var unmap = Unmap(batch: shootdown.batch)
      if isDone {
        stale.flushed(shootdown.cleaned)
      } else {
        unmap.serial = stale.deferred(shootdown.mask)
      }
      mmUnmaps[Int(shootdown.taskIndex)] = unmap
    case .unmapBatch:
      var unmap = Unmap(batch: shootdown.batch)
      if isDone {
        stale.flushed(shootdown.mask)
      } else {
        unmap.serial = stale.deferred(shootdown.mask)
      }
      unmaps[Int(shootdown.taskIndex)] = unmap
    }
  }

  /// The CPUs of `mask` flush everything: a flush that had been put off.
  mutating func flushed(_ mask: CPUMask) { stale.flushed(mask) }

  /// A CPU flushes itself.
  mutating func flushed(_ cpu: Int) { stale.flushed(cpu) }

  /// A frame that the recorded run is about to take would still have been held: another one is
  /// taken, which nobody has a stale translation to.
  mutating func held(_ frame: Int) { serials[frame] = 0 }

  /// The frame that is handed out next stays with the process that freed it: its own translations
  /// are no danger to it. They stay stale for whoever gets the frame later.
  mutating func recycled() { isRecycled = true }

  /// Any moment but a shootdown, after the policy has acted on it.
  mutating func observe(_ moment: Moment, _ source: borrowing Reconstruction) {
    switch moment.kind {
    case .frameFreed:
      let unmap = unmaps[Int(moment.task)]
      if unmap.batch == moment.batch { serials[Int(moment.subject)] = unmap.serial }
    case .unmappedFrameFreed:
      let unmap = mmUnmaps[Int(moment.task)]
      if unmap.batch == moment.batch, unmap.serial != 0 {
        serials[Int(moment.subject)] = unmap.serial
      }
    case .frameAllocated: handedOut(moment, source.frames)
    case .unmappedFrameAllocated, .unmappedFrameTaken:
      // Where a batch freed the frame, the moment that follows is the one.
      if moment.batch == 0 { handedOut(moment, source.frames) }
    case .switchedMM, .lazyEnd: stale.flushed(Int(moment.cpu))
    default: break
    }
  }

  private mutating func handedOut(_ moment: Moment, _ frames: borrowing FrameTable) {
    let frame = Int(moment.subject)
    let serial = serials[frame]
    defer { isRecycled = false }
    if isRecycled { return }
    serials[frame] = 0
    guard serial != 0 else { return }
    verdict.framesChecked += 1
    guard let cpu = stale.staleCPU(serial) else { return }
    verdict.violations += 1
    if verdict.first == nil {
      verdict.first = Violation(
        rule: "I1", time: moment.time, eventIndex: moment.event, cpu: cpu, pfn: frames.pfn(frame))
    }
  }
}
