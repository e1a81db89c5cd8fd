import Synchronization
import TraceEvents

@testable import Replay

/// What a policy's run told the tests' ear at one step, in order.
enum HeardFlush: Equatable {
  case recorded(isDone: Bool)
  case forced(CPUMask)
  case own(Int)
  case handedOut(frame: Int, staleCPU: Int?)
}

/// Hears what really happens in a run, without judging it.
struct FlushEar: SafetyCheck {
  var hearsFromTheStart: Bool { true }
  final class Log: Sendable {
    let heard = Mutex<[HeardFlush]>([])

    func take() -> [HeardFlush] {
      heard.withLock { heard in
        defer { heard = [] }
        return heard
      }
    }
  }

  let log: Log
  var hears: SafetyNews { [.putOff, .batchFlushes, .mmFlushes, .flushes, .ownFlushes, .handouts] }

  private func note(_ what: HeardFlush) { log.heard.withLock { $0.append(what) } }

  mutating func shootdown(
    _ shootdown: borrowing Shootdown, leaving unmap: UInt32, _ moment: Moment,
    _ source: borrowing Reconstruction, _ stale: inout StaleTranslations
  ) { note(.recorded(isDone: unmap == 0)) }

  mutating func flushed(
    _ mask: CPUMask, _ fate: DeferralFate, times: Int, _ moment: Moment,
    _ stale: inout StaleTranslations
  ) { note(.forced(mask)) }

  mutating func flushedItself(_ cpu: Int, _ moment: Moment, _ stale: inout StaleTranslations) {
    note(.own(cpu))
  }

  mutating func handedOut(
    _ handout: FrameHandout, _ moment: Moment, _ stale: inout StaleTranslations
  ) {
    note(.handedOut(frame: handout.frame, staleCPU: handout.staleCPU))
  }

  func verdicts(_ counts: SafetyCounts) -> [RuleVerdict] { [] }
}

/// One thing that the tiny kernel does.
enum TinyStep: Equatable {
  /// Task `reclaimer` (0 kswapd, 1 direct reclaim on CPU 0) unmaps pages and comes to the flush.
  case unmap(pages: [Int], isWritable: Bool, reclaimer: Int)
  case free(frame: Int)
  case drain(frame: Int)
  case refill(frame: Int)
  /// `page`: where the frame is mapped next; nil where the kernel keeps it.
  case allocate(frame: Int, cpu: Int, page: Int?)
  case flush(mm: Int)
  case flushPage(Int, mm: Int)
  case changeMM(cpu: Int)
  case lazyBegin(cpu: Int)
  case lazyEnd(cpu: Int)
  case writeProtectFault(cpu: Int)
}

/// Who runs where, and which mm maps which page.
struct TinyMachine {
  static let cpus = 3
  /// kswapd's CPU, which holds no user translation.
  static let kswapdCPU = 3
  static let framesMax = 8

  var name: String
  /// The mm that each CPU has loaded.
  var mmOf: [Int]
  /// The mms that map each page.
  var mapping: [Set<Int>]
  /// Steps that a flush lasts: with more than one, flushes run into each other.
  var flushSteps: UInt64 = 0

  func cpus(of mms: Set<Int>) -> [Int] { (0..<Self.cpus).filter { mms.contains(mmOf[$0]) } }
}

/// Page tables and frames, the same for every policy.
struct TinyKernel {
  enum Frame: Equatable {
    case mapped(page: Int)
    case unmapped(reclaimer: Int)
    case free(isDrained: Bool)
    case owned
  }

  let machine: TinyMachine
  var frames: [Frame]
  var pageFrames: [Int?]
  var lazy = Set<Int>()
  /// `tlb_gen` of each mm: raised by every unmap and every flush.
  var generations = [0, 0, 0]
  /// Unmap batches so far, and the last of each reclaimer.
  var batches: UInt32 = 0
  var batchOf: [UInt32] = [0, 0]
  /// The batch that each frame was freed with last.
  var frameBatches: [UInt32]
  var steps = 0
  /// The way of the frames through buddy.
  var passages = BuddyPassages()

  init(_ machine: TinyMachine) {
    self.machine = machine
    frames = machine.mapping.indices.map { .mapped(page: $0) }
    pageFrames = machine.mapping.indices.map { $0 }
    frameBatches = machine.mapping.indices.map { _ in 0 }
  }

  /// Whether a reclaimer has freed all that it unmapped.
  func isDone(_ reclaimer: Int) -> Bool {
    !frames.contains { frame in
      if case .unmapped(reclaimer) = frame { return true }
      return false
    }
  }
}

/// What each CPU's TLB holds, entry by entry, as plainly as can be: no masks of batches, no serials.
///
/// Three CPUs, up to 3 pages and 3 frames: an entry is a bit. Accesses are in no trace, so they may
/// come anywhere between two steps: `worlds` are all the contents that some order of at most
/// `accessesMax` accesses brings, with the fewest it takes; `possible` holds every entry that any
/// order of any number of accesses could leave.
struct TinyTLBs {
  static let stepsMax = 7

  private(set) var possible: UInt32 = 0
  private var worlds: [UInt32: Int] = [0: 0]
  private var generations = [0, 0, 0]
  /// Whether some order of at most ``stepsMax`` steps, accesses among them, read a frame that was no
  /// longer the page's.
  private(set) var isMisread = false

  static func entry(_ cpu: Int, _ page: Int, _ frame: Int) -> UInt32 {
    1 << UInt32((cpu * 3 + page) * 3 + frame)
  }
  private static func entries(of cpu: Int) -> UInt32 { 0x1ff << UInt32(cpu * 9) }
  private static func entries(of cpu: Int, _ page: Int) -> UInt32 {
    7 << UInt32((cpu * 3 + page) * 3)
  }
  static func entries(to frame: Int) -> UInt32 {
    (0..<9).reduce(0) { $0 | 1 << UInt32($1 * 3 + frame) }
  }

  /// A CPU that could read `frame` through an old entry if it ran on.
  func holder(of frame: Int, _ kernel: TinyKernel) -> Int? {
    (0..<TinyMachine.cpus).first {
      !kernel.lazy.contains($0) && possible & Self.entries(of: $0) & Self.entries(to: frame) != 0
    }
  }

  private mutating func keep(_ mask: UInt32) {
    possible &= mask
    var kept: [UInt32: Int] = [:]
    for (world, used) in worlds { kept[world & mask] = min(kept[world & mask] ?? .max, used) }
    worlds = kept
  }

  /// A full flush on a CPU that is not lazy.
  mutating func flush(_ cpu: Int, _ kernel: TinyKernel) {
    guard cpu < TinyMachine.cpus, !kernel.lazy.contains(cpu) else { return }
    keep(~Self.entries(of: cpu))
    generations[cpu] = kernel.generations[kernel.machine.mmOf[cpu]]
  }

  /// A flush of one page: of everything where the CPU is further behind.
  mutating func flush(_ cpu: Int, page: Int, _ kernel: TinyKernel) {
    guard !kernel.lazy.contains(cpu) else { return }
    let generation = kernel.generations[kernel.machine.mmOf[cpu]]
    if generations[cpu] + 1 == generation {
      keep(~Self.entries(of: cpu, page))
    } else {
      keep(~Self.entries(of: cpu))
    }
    generations[cpu] = generation
  }

  /// The CPU compares generations, and flushes if it is behind.
  mutating func compare(_ cpu: Int, _ kernel: TinyKernel) {
    if generations[cpu] < kernel.generations[kernel.machine.mmOf[cpu]] { flush(cpu, kernel) }
  }

  /// Lets every CPU access every page any number of times, or as often as the steps allow.
  mutating func access(_ kernel: TinyKernel) {
    let left = Self.stepsMax - kernel.steps
    for cpu in 0..<TinyMachine.cpus where !kernel.lazy.contains(cpu) {
      for (page, mms) in kernel.machine.mapping.enumerated()
      where mms.contains(kernel.machine.mmOf[cpu]) {
        for (world, used) in worlds where used < left {
          let hit = world & Self.entries(of: cpu, page)
          if hit != 0 {
            if hit & Self.gone(kernel) != 0 { isMisread = true }
          } else if let frame = kernel.pageFrames[page] {
            let next = world | Self.entry(cpu, page, frame)
            worlds[next] = min(worlds[next] ?? .max, used + 1)
          }
        }
        if let frame = kernel.pageFrames[page] { possible |= Self.entry(cpu, page, frame) }
      }
    }
  }

  /// Entries to frames that have got another owner.
  private static func gone(_ kernel: TinyKernel) -> UInt32 {
    var gone: UInt32 = 0
    for (frame, state) in kernel.frames.enumerated() {
      switch state {
      case .owned: gone |= entries(to: frame)
      case .mapped(let page):
        gone |= entries(to: frame)
        for cpu in 0..<TinyMachine.cpus { gone &= ~entry(cpu, page, frame) }
      case .unmapped, .free: break
      }
    }
    return gone
  }
}
