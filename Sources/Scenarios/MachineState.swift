import Machine
import TraceWriting

/// A CPU of the modelled machine, with what Linux 6.12 `struct tlb_state` holds.
struct ModelCPU {
  /// An interrupt for a shootdown that has not been taken yet.
  struct Interrupt {
    var arrival: UInt64
    var initiator: Int
    var process: Int
    /// Generation that the request asks for; 0 of a batch (`TLB_GENERATION_INVALID`).
    var generation: UInt64
    /// Pages, -1 all.
    var pages: Int64
  }
  /// `tlb_context`: the generation up to which a process's translations here are clean.
  struct Context {
    var process = -1
    var generation: UInt64 = 0
  }

  static let contextCount = 6

  /// How far it has run.
  var clock: UInt64 = 0
  /// Emulator: time that it has spent already of turns to come.
  var debt: UInt64 = 0
  /// The task on it, -1 idle.
  var current = -1
  var runnable: [Int] = []
  var sliceEnd: UInt64 = 0
  /// The mm that is loaded, and whether it only stays loaded while nobody uses it.
  var loaded = Simulation.kernelMM
  var isLazy = false
  var context = 0
  var nextContext = 0
  var contexts = InlineArray<6, Context>(repeating: Context())
  var interrupts: [Interrupt] = []
  /// Answers that the flush it sent still waits for, when it began, and whether it was a batch's.
  var outstanding = 0
  var flushBegan: UInt64 = 0
  var isBatchFlush = false

  /// Counters: TLB row of `/proc/interrupts`.
  var row = 0
}

/// What became of a task.
enum TaskState { case running, runnable, asleep, finished }

/// A thread, or a thread of the kernel.
struct ModelTask {
  var id: Int32
  /// Index of its name among the trace's texts.
  var name: Int
  var process = -1
  var cpu = 0
  /// Whether it may run on any CPU.
  var isFloating = false
  /// The node whose kswapd it is, -1 none.
  var kswapd = -1
  var state = TaskState.asleep
  /// How it sleeps: 1 interruptible, 2 not.
  var sleepKind: UInt64 = 1
  /// Work between kernel entries that an interrupt may come into.
  var computeLeft: UInt64 = 0
  /// Flushes that a policy wants done before the task goes on.
  var flushes: [UInt64] = []
  /// CPUs that unmapped pages of this task still have to be flushed on: read-only ones, and others.
  var unmapped = UnmapPending()
  var unmappedWritable = UnmapPending()
  /// Deferral that frames of its last batch are freed with.
  var deferral: UInt32 = 0
  var fault = FaultJob()
  var reclaim = ReclaimJob()
  var migration = MigrationJob()
  var call = CallJob()
  var program = Program()
  var scan = ScanWork()
  /// kswapd: when it tells that it sleeps, and whether it is about to.
  var dozesAt: UInt64 = 0
  var isDozing = false
}

/// `struct tlbflush_unmap_batch`.
struct UnmapPending {
  var mask: UInt64 = 0
  var pages = 0
  var isEmpty: Bool { pages == 0 }
}

/// A process: its mm.
struct ModelProcess {
  var name: String
  /// `mm_cpumask` and `context.tlb_gen`.
  var mask: UInt64 = 0
  var generation: UInt64 = 1
  /// Whether a batch holds its pages that it has not paid for (`tlb_flush_batched`).
  var hasBatched = false
  var threads: Range<Int> = 0..<0
  /// Threads that are busy with what hot threads wait for.
  var busyThreads = 0
  /// Threads at a barrier.
  var waiting: [Int] = []
  var mappings: [Int] = []
  var nextAddress: UInt64 = 0
  /// NUMA scan: where it goes on, and when.
  var scanMapping = 0
  var scanPage = 0
  var scanDue: UInt64 = .max
}

/// Bits of a page-table entry.
enum PTE {
  static let accessed: UInt8 = 1
  static let dirty: UInt8 = 2
  static let writable: UInt8 = 4
  /// PROT_NONE for NUMA hinting.
  static let inaccessible: UInt8 = 8
  /// The frame is the mapping's own, not the file's.
  static let own: UInt8 = 16

  static let none: Int32 = -1
  /// A migration entry stands there.
  static let migrating: Int32 = -2
}

/// A mapping of a process (`vm_area_struct`) and its page-table entries.
struct ModelMapping {
  var process: Int
  /// Index of the file, -1 anonymous.
  var file: Int
  var offset: Int
  var address: UInt64
  var isShared: Bool
  var isWritable: Bool
  var isLive = true
  var frames: [Int32]
  var bits: [UInt8]
}

/// A file and its pages in the page cache.
struct ModelFile {
  var inode: UInt64
  /// Frame of each page, -1 none.
  var frames: [Int32]
  /// `PG_readahead` of each page.
  var marks: [Bool]
  var mappings: [Int] = []
  /// `struct file_ra_state`.
  var aheadStart = 0
  var aheadSize = 0
  var aheadAsync = 0
  var misses = 0
}

/// What a frame holds.
struct FrameUse {
  enum Kind: UInt8 { case none, file, anonymous, kernel }

  var kind = Kind.none
  /// Its content is on its way from the device.
  var isLocked = false
  /// Somebody holds a reference (`get_user_pages`).
  var pins: UInt8 = 0
  /// File, or mapping.
  var owner: Int32 = -1
  /// Page of it.
  var page: Int32 = -1
  /// Milliseconds at which the NUMA scan made it inaccessible.
  var hinted: UInt32 = 0
}

/// Something that happens at a time whatever the CPUs do.
struct Timer {
  enum Kind { case wake, deviceDone, kswapdDozes, second }

  var time: UInt64
  var order: UInt64
  var kind: Kind
  /// Task, transfer, or node.
  var subject: Int
}

/// Timers, the earliest first; those of one time in the order in which they were set.
struct TimerHeap {
  private var items: [Timer] = []
  private var orders: UInt64 = 0

  var first: UInt64 { items.isEmpty ? .max : items[0].time }

  mutating func add(_ kind: Timer.Kind, _ subject: Int, at time: UInt64) {
    orders += 1
    items.append(Timer(time: time, order: orders, kind: kind, subject: subject))
    var child = items.count - 1
    while child > 0 {
      let parent = (child - 1) / 2
      guard Self.isBefore(items[child], items[parent]) else { break }
      items.swapAt(child, parent)
      child = parent
    }
  }

  mutating func removeFirst() -> Timer {
    let first = items[0]
    items.swapAt(0, items.count - 1)
    items.removeLast()
    var parent = 0
    while true {
      var least = parent
      for child in [2 * parent + 1, 2 * parent + 2] where child < items.count {
        if Self.isBefore(items[child], items[least]) { least = child }
      }
      guard least != parent else { return first }
      items.swapAt(parent, least)
      parent = least
    }
  }

  private static func isBefore(_ a: Timer, _ b: Timer) -> Bool {
    a.time != b.time ? a.time < b.time : a.order < b.order
  }
}
