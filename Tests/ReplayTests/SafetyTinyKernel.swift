import TraceEvents

@testable import Replay

extension TinyKernel {
  /// The steps that may come next; `kinds` limits which.
  func steps(_ kinds: Set<TinyKind>) -> [TinyStep] {
    var steps: [TinyStep] = []
    let mapped = pageFrames.indices.filter { pageFrames[$0] != nil }
    for reclaimer in kinds.contains(.directReclaim) ? [0, 1] : [0] where isDone(reclaimer) {
      for page in mapped {
        steps.append(.unmap(pages: [page], isWritable: false, reclaimer: reclaimer))
        if kinds.contains(.writable), reclaimer == 0 {
          steps.append(.unmap(pages: [page], isWritable: true, reclaimer: reclaimer))
        }
      }
      // Masks of batches are unions: what is exact can only be told where all pages agree.
      if mapped.count > 1, Set(mapped.map { machine.mapping[$0] }).count == 1 {
        steps.append(.unmap(pages: mapped, isWritable: false, reclaimer: reclaimer))
      }
    }
    for frame in frames.indices {
      switch frames[frame] {
      case .unmapped: steps.append(.free(frame: frame))
      case .free(let isDrained):
        if !isDrained, kinds.contains(.drain) { steps.append(.drain(frame: frame)) }
        if isDrained, kinds.contains(.refill) { steps.append(.refill(frame: frame)) }
        steps += allocations(of: frame)
      case .mapped, .owned: break
      }
    }
    guard batches > 0 else { return steps }
    if kinds.contains(.flush) {
      for mm in Set(machine.mmOf).sorted() { steps.append(.flush(mm: mm)) }
    }
    if kinds.contains(.flushPage) {
      for (page, mms) in machine.mapping.enumerated() {
        steps += mms.sorted().map { .flushPage(page, mm: $0) }
      }
    }
    for cpu in 0..<TinyMachine.cpus {
      if kinds.contains(.changeMM), !lazy.contains(cpu) { steps.append(.changeMM(cpu: cpu)) }
      if kinds.contains(.lazy) {
        steps.append(lazy.contains(cpu) ? .lazyEnd(cpu: cpu) : .lazyBegin(cpu: cpu))
      }
    }
    if kinds.contains(.fault), !lazy.contains(1) { steps.append(.writeProtectFault(cpu: 1)) }
    return steps
  }

  /// By the kernel or for the first page that has none, on a CPU that reads pages and on one that
  /// does not.
  private func allocations(of frame: Int) -> [TinyStep] {
    let page = pageFrames.firstIndex { $0 == nil }
    var steps: [TinyStep] = [.allocate(frame: frame, cpu: TinyMachine.kswapdCPU, page: nil)]
    if let page { steps.append(.allocate(frame: frame, cpu: 1, page: page)) }
    return steps
  }

  /// Plays a step: page tables and frames change, and the moment is what a trace tells of it.
  mutating func play(_ step: TinyStep, _ stage: inout TinyStage) {
    steps += 1
    switch step {
    case .unmap(let pages, let isWritable, let reclaimer):
      batches += 1
      batchOf[reclaimer] = batches
      var shootdown = stage.shootdown(.unmapBatch, cpu: reclaimer == 0 ? 3 : 0, self)
      shootdown.batch = batches
      shootdown.evidence = isWritable ? .provenIneligible : .reclaimedFile
      var mms = Set<Int>()
      for page in pages {
        mms.formUnion(machine.mapping[page])
        if let frame = pageFrames[page] {
          frames[frame] = .unmapped(reclaimer: reclaimer)
        }
        pageFrames[page] = nil
      }
      for mm in mms { generations[mm] += 1 }
      stage.reach(machine.cpus(of: mms), &shootdown, self)
      stage.tell(shootdown)
    case .free(let frame):
      guard case .unmapped(let reclaimer) = frames[frame] else { return }
      frames[frame] = .free(isDrained: false)
      frameBatches[frame] = batchOf[reclaimer]
      let cpu = reclaimer == 0 ? 3 : 0
      stage.tell(.frameFreed, cpu: cpu, subject: frame, batch: frameBatches[frame])
      stage.tell(.framesFreed, cpu: cpu, subject: 1, batch: frameBatches[frame])
    case .drain(let frame):
      frames[frame] = .free(isDrained: true)
      stage.tell(
        .frameDrained, cpu: 2, subject: frame, batch: frameBatches[frame],
        passages.drained(frame, stage.reconstruction.frames))
    case .refill(let frame):
      frames[frame] = .free(isDrained: false)
      stage.tell(
        .frameRefilled, cpu: 2, subject: frame, batch: frameBatches[frame],
        passages.refilled(frame, stage.reconstruction.frames))
      stage.tell(.taskAllocated, cpu: 2)
    case .allocate(let frame, let cpu, let page):
      frames[frame] = page.map { .mapped(page: $0) } ?? .owned
      if let page { pageFrames[page] = frame }
      stage.tell(
        .frameAllocated, cpu: cpu, subject: frame, batch: frameBatches[frame],
        passages.taken(frame, stage.reconstruction.frames))
    case .flush(let mm): flush(mm, page: nil, &stage)
    case .flushPage(let page, let mm): flush(mm, page: page, &stage)
    case .changeMM(let cpu): stage.tell(.switchedMM, cpu: cpu)
    case .lazyBegin(let cpu):
      lazy.insert(cpu)
      stage.tell(.lazyBegin, cpu: cpu)
    case .lazyEnd(let cpu):
      lazy.remove(cpu)
      stage.tell(.lazyEnd, cpu: cpu)
    case .writeProtectFault(let cpu): stage.tell(.writeProtectFault, cpu: cpu)
    }
  }

  private mutating func flush(_ mm: Int, page: Int?, _ stage: inout TinyStage) {
    generations[mm] += 1
    let cpus = machine.cpus(of: [mm]).filter { !lazy.contains($0) }
    guard let initiator = cpus.first else { return }
    var shootdown = stage.shootdown(.mm, cpu: initiator, self)
    shootdown.pages = page == nil ? -1 : 1
    shootdown.isLocal = true
    for cpu in cpus.dropFirst() { shootdown.receivers.insert(cpu) }
    stage.tell(shootdown)
  }
}

/// The kinds of step that a search makes use of.
enum TinyKind: CaseIterable {
  case writable, directReclaim, drain, refill, flush, flushPage, changeMM, lazy, fault
}

/// Hands the moments of a tiny history to policies, as a reconstruction does.
struct TinyStage: ~Copyable {
  var reconstruction: Reconstruction
  private static let unknownCause = CauseFound(cause: .unknown, isRecorded: false)
  private static let batchesMax = 64
  private var clock: UInt64 = 1000
  private var event: UInt64 = 0

  init() {
    reconstruction = Reconstruction(TinyStage.context([]))
    for frame in 0..<TinyMachine.framesMax {
      _ = reconstruction.frames.index(of: 0x40 + UInt64(frame))
    }
    // Numbers are not given again here, as histories are short.
    for _ in 0..<Self.batchesMax { _ = reconstruction.batchNumbers.open(at: 0) }
    for task in [40, 100, 101, 102] as [Int32] { _ = reconstruction.tasks.index(of: task) }
  }

  static func context(_ checks: [any SafetyCheck]) -> ReplayContext {
    var context = ReplayContext(cpuCount: 4, flushFunction: FunctionName.flushTLBFunction)
    context.safetyChecks = checks
    // Moments are handed over without an index of them, so there is nothing to look up.
    context.visitsEveryFrame = true
    return context
  }

  /// kswapd runs on CPU 3, a user task on each other.
  private static func task(_ cpu: Int) -> UInt32 { cpu == 3 ? 1 : UInt32(2 + cpu) }

  /// A new step at `number` of its history.
  mutating func begin(_ number: Int) {
    clock = 1000 + UInt64(number) * 1000
    event = UInt64(number)
    reconstruction.moments.removeAll(keepingCapacity: true)
    reconstruction.passagesTold.removeAll(keepingCapacity: true)
    reconstruction.shootdowns.removeFirst(reconstruction.shootdowns.count)
    reconstruction.findCleanings(0)
  }

  func shootdown(_ kind: ShootdownKind, cpu: Int, _ kernel: TinyKernel) -> Shootdown {
    var shootdown = Shootdown(
      initiator: cpu, taskIndex: Self.task(cpu), start: clock, end: clock + 10, pages: -1,
      ifMM: Self.unknownCause, ifBatch: Self.unknownCause, position: 0)
    shootdown.kind = kind
    shootdown.isResolved = true
    shootdown.endAmongFew = clock + 10 + kernel.machine.flushSteps * 1000
    shootdown.typicalDuration = 10 + kernel.machine.flushSteps * 1000
    return shootdown
  }

  func reach(_ cpus: [Int], _ shootdown: inout Shootdown, _ kernel: TinyKernel) {
    for cpu in cpus {
      if kernel.lazy.contains(cpu) {
        shootdown.lazyMembers.insert(cpu)
      } else if cpu == shootdown.initiator {
        shootdown.isLocal = true
      } else {
        shootdown.receivers.insert(cpu)
      }
    }
  }

  mutating func tell(_ shootdown: consuming Shootdown) {
    let cpu = shootdown.initiator
    var shootdown = shootdown
    shootdown.findMask()
    reconstruction.shootdowns.append(shootdown)
    tell(.shootdown, cpu: cpu)
  }

  mutating func tell(
    _ kind: Moment.Kind, cpu: Int, subject: Int = 0, batch: UInt32 = 0,
    _ passage: BuddyPassage = BuddyPassage()
  ) {
    reconstruction.tell(
      Moment(
        time: clock, kind: kind, payer: .user, cpu: UInt16(cpu), subject: UInt32(subject),
        batch: batch, task: Self.task(cpu), event: event), passage)
    reconstruction.findCleanings(reconstruction.moments.count)
  }
}
