public import Machine

/// A machine and what runs on it: what a scenario file says.
public struct Scenario: Sendable {
  /// The most CPUs: a record's CPU mask is written as one word.
  public static let cpusMax = 64
  /// The most pages of all nodes, of all mappings, and of all files: 2^26 are 256 GiB.
  public static let pagesMax = 1 << 26
  /// The most threads of all processes.
  public static let threadsMax = 1 << 14

  /// Name and one line.
  public var name: String
  /// See ``name``.
  public var summary = ""
  /// The machine.
  public var machine: ScenarioMachine
  /// How long things take.
  public var costs = ScenarioCosts()
  /// Files that processes map.
  public var files: [ScenarioFileShape] = []
  /// Processes.
  public var processes: [ScenarioProcess] = []
  /// Where random numbers start.
  public var seed: UInt64 = 1

  /// A scenario without processes.
  public init(name: String, machine: ScenarioMachine) {
    self.name = name
    self.machine = machine
  }
}

/// The modelled machine.
public struct ScenarioMachine: Sendable {
  /// CPUs.
  public var cpus: Int
  /// NUMA nodes, the fastest first.
  public var nodes: [MemoryNode]
  /// `vm.min_free_kbytes`; nil is the kernel's own choice.
  public var minFreeKilobytes: Int?
  /// `vm.watermark_scale_factor`.
  public var watermarkScaleFactor = 10
  /// NUMA balancing between tiers (`kernel.numa_balancing = 2`); nil off.
  public var balancing: TierBalancing?
  /// Nanoseconds of a CPU's turn on an emulator that runs one CPU after the other; nil where all run
  /// at the same time.
  public var turn: UInt64?
  /// Of a turn, nanoseconds that the emulator's own timer takes.
  public var turnOverhead: UInt64 = 0

  /// A machine.
  public init(cpus: Int, nodes: [MemoryNode]) {
    self.cpus = cpus
    self.nodes = nodes
  }
}

/// NUMA balancing of memory tiers (Linux 6.12 `kernel/sched/fair.c`).
public struct TierBalancing: Sendable {
  /// `scan_delay_ms`, `scan_period_min_ms` and `scan_period_max_ms`.
  public var scanDelayMilliseconds = 1_000
  /// See ``scanDelayMilliseconds``.
  public var scanPeriodMinMilliseconds = 1_000
  /// See ``scanDelayMilliseconds``.
  public var scanPeriodMaxMilliseconds = 60_000
  /// `scan_size_mb`.
  public var scanSizeMegabytes = 256
  /// `hot_threshold_ms`.
  public var hotThresholdMilliseconds = 1_000
  /// `numa_balancing_promote_rate_limit_MBps`.
  public var promoteRateLimitMegabytesPerSecond = 65_536

  /// The kernel's defaults.
  public init() {}
}

/// A file in the page cache's reach.
public struct ScenarioFileShape: Sendable {
  /// Name by which mappings refer to it.
  public var name: String
  /// Pages.
  public var pages: Int

  /// A file.
  public init(name: String, pages: Int) {
    self.name = name
    self.pages = pages
  }
}

/// A process and its threads.
public struct ScenarioProcess: Sendable {
  /// Name; threads are called `name-0` and so on.
  public var name: String
  /// Threads, pinned to CPUs from ``firstCPU`` on.
  public var threads: Int
  /// See ``threads``.
  public var firstCPU: Int
  /// What it has mapped from the start.
  public var mappings: [ScenarioMapping] = []
  /// What its threads do, one after the other.
  public var phases: [ScenarioPhase] = []

  /// A process that does nothing.
  public init(name: String, threads: Int, firstCPU: Int) {
    self.name = name
    self.threads = threads
    self.firstCPU = firstCPU
  }
}

/// A mapping of a file or of anonymous memory.
public struct ScenarioMapping: Sendable {
  /// Index of the file; nil is anonymous memory.
  public var file: Int?
  /// First page of the file.
  public var offset = 0
  /// Pages.
  public var pages: Int
  /// MAP_SHARED.
  public var isShared = false
  /// PROT_WRITE.
  public var isWritable = false

  /// A mapping of `pages` pages.
  public init(file: Int?, pages: Int) {
    self.file = file
    self.pages = pages
  }
}

/// What threads do for a while.
public struct ScenarioPhase: Sendable {
  /// How they go through memory, or what they call.
  public enum Pattern: String, Sendable, CaseIterable {
    /// Layer after layer, each cut into a slice a thread.
    case layers
    /// One slice a thread, from its start to its end.
    case slices
    /// Page after page with a stride between them, in slices.
    case strided
    /// Pages at random: all alike, or a few much more often than the others.
    case random
    /// See ``random``.
    case zipf
    /// The same few pages all the time, until the other threads of the process are through.
    case hot
    /// mmap, touch, mprotect, pwrite, munmap of small anonymous mappings.
    case churn
    /// mmap with MAP_FIXED over part of the mapping, then reads of it.
    case remap
    /// Pins pages as `get_user_pages` does, writes to them, unpins.
    case pin
    /// Writes to a file, as write(2) does.
    case write
    /// Reads a file through read(2): its pages come into the page cache and are not mapped.
    case read
  }

  /// See ``Pattern``.
  public var pattern: Pattern
  /// The process's mapping that it is about.
  public var mapping = 0
  /// Threads that do it; the others go on to the next phase.
  public var threads: Range<Int>?
  /// How often all of it, or rounds of calls.
  public var passes = 1
  /// Accesses of each thread, of the random patterns.
  public var accesses = 0
  /// Pages of a layer, of a stride, or that are hot.
  public var unitPages = 64
  /// Nanoseconds of computing on each page.
  public var compute: UInt64 = 0
  /// Share of accesses that write, in per cent.
  public var writePercent = 0
  /// Whether threads wait for each other after each layer, and at the end.
  public var hasBarrier = false
  /// Whether they wait awake, looking all the time, as ggml's threads do.
  public var spins = false
  /// Whether it comes before the traced window.
  public var isWarmUp = false

  /// A phase.
  public init(_ pattern: Pattern) { self.pattern = pattern }
}
