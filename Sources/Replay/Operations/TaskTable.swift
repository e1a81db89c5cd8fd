import TraceEvents

/// Whose time a flush takes that had been put off.
public enum TaskClass: UInt8, Sendable, CaseIterable {
  /// A user thread, outside direct reclaim and inside it.
  case user
  /// See ``user``.
  case directReclaim
  /// Kernel threads: kswapd, and others.
  case kswapd
  /// See ``kswapd``.
  case kernelThread
  /// An idle CPU: an interrupt allocated.
  case idle
  /// A thread whose kind no event tells.
  case unknown

  var rawIndex: Int { Int(rawValue) }
}

/// What a thread is doing, as far as a replay must know.
struct TaskState {
  enum Kind: UInt8 {
    case unnamed, user, kernel, idle
  }

  var kind = Kind.unnamed
  /// Number of its name among the names of all threads; 0 where no event tells the name.
  var nameGroup: UInt32 = 0
  /// The same of its mm, where ``process`` is known.
  var mmGroup: UInt32 = 0
  var isKswapd = false
  var isInDirectReclaim = false
  var isInMigration = false
  /// Whether the frees that follow directly belong to the batch just flushed.
  var isFreeingBatch = false
  /// Whether they belong to the flush of one mm that the task did last, whose number this is.
  var isFreeingUnmapped = false
  var flushedUnmap: UInt32 = 0
  /// Whether a refill moved pending frames since its last allocation.
  var hasRefilled = false
  /// Whether its last fault was at an address where a migration may have taken a page away.
  var hasUnmappedFault = false
  /// Whether it ran on a CPU when a batch flush interrupted that: its mm is one that is unmapped.
  var isFlushTarget = false
  /// Batch that collects what the task unmaps now; 0 none.
  var openBatch: UInt32 = 0
  /// Batch that it flushed last, 0 none, and its number among ``BatchNumbers``.
  var flushedBatch: UInt32 = 0
  var flushedNumber: UInt32 = 0
  /// Since its last batch flush: pages taken out of the page cache, migration entries set by kind,
  /// folios of several pages.
  var deleted: UInt32 = 0
  var readOnlyEntries: UInt32 = 0
  var writableEntries: UInt32 = 0
  var unclearEntries: UInt32 = 0
  var largeFolios: UInt32 = 0
  /// Pages that migration entries replaced since then, and the frame of the last one.
  var entryPages: UInt32 = 0
  var lastEntryFrame = UInt64.max
  /// Why it migrates, -1 unknown, and what its last batch flush was for.
  var migrationReason: Int8 = -1
  var flushedCause = FlushCause.unknown
  /// System call that it is in, its arguments, and the one that ended last.
  var call = MemoryCall.none
  var endedCall = MemoryCall.none
  var arguments = CallArguments()
  /// Whether its last way into the kernel was a page fault, of a write to a present page, and where.
  var isInFault = false
  var isProtectFault = false
  var faultAddress: UInt64 = 0
  /// Whether its last event was the flush of a NUMA scan.
  var isScanning = false
  /// Its mm as far as it is named, 0 unknown.
  var process: UInt32 = 0

  /// Whose time it spends now.
  var payer: TaskClass {
    if isKswapd { return .kswapd }
    switch kind {
    case .unnamed: return .unknown
    case .user: return isInDirectReclaim ? .directReclaim : .user
    case .kernel: return .kernelThread
    case .idle: return .idle
    }
  }

  /// Whether a CPU that runs it keeps a user's mm lazily and is left out of batch flushes.
  var isLazy: Bool { kind == .idle || kind == .kernel }
  /// Whether it is known to be unmapping pages right now.
  var isUnmapping: Bool {
    isKswapd || isInDirectReclaim || deleted > 0 || hasEntries
  }
  /// Whether it set migration entries that no batch flush has paid for.
  var hasEntries: Bool { (readOnlyEntries | writableEntries | unclearEntries) > 0 }

  /// It faulted on a user address, in user mode or in kernel code.
  mutating func fault(at address: UInt64, isProtection: Bool, isUser: Bool) {
    if isUser {
      kind = .user
      // Whoever faults in user mode is in no system call, whether its end was seen or not.
      call = .none
    }
    isInFault = true
    isProtectFault = isProtection
    faultAddress = address
  }

  /// A migration entry replaced a page that none did just before.
  mutating func replacePage(_ frame: UInt64) {
    lastEntryFrame = frame
    entryPages &+= 1
  }

  /// A system call began.
  mutating func begin(_ call: MemoryCall, _ arguments: CallArguments?) {
    self.call = call
    isInFault = false
    self.arguments = arguments ?? CallArguments()
  }

  mutating func forgetEntries() {
    readOnlyEntries = 0
    writableEntries = 0
    unclearEntries = 0
    largeFolios = 0
    entryPages = 0
    lastEntryFrame = .max
  }
}

/// The threads of a trace by id.
///
/// Index 0 stands for all that came after the table was full and for unknown ids.
struct TaskTable {
  /// Threads followed; Linux's PID_MAX_LIMIT is 2^22, no trace of a working machine names that many.
  static let tasksMax = 1 << 20

  var states: [TaskState] = [TaskState()]
  private(set) var untracked = 0
  private var ids: [Int32] = [EventBatch.unknownTask]
  private var slots: [UInt32] = Array(repeating: 0, count: 256)
  /// Names and mms are numbered together, from 1.
  private var nameGroups: [String: UInt32] = [:]
  private var mmGroups: [UInt32: UInt32] = [:]
  /// By group of a name: the mm that a thread of this name was last seen in, or the name's own group.
  private var processes: [UInt32] = [0]

  /// The thread id of a task; ``EventBatch/unknownTask`` of the one that stands for several.
  func id(of index: UInt32) -> Int32 {
    Int(index) < ids.count ? ids[Int(index)] : EventBatch.unknownTask
  }

  /// The index of thread `id`; adds it.
  mutating func index(of id: Int32) -> UInt32 {
    guard id != EventBatch.unknownTask else { return 0 }
    var slot = Self.hash(id) & (slots.count - 1)
    while slots[slot] != 0 {
      if ids[Int(slots[slot])] == id { return slots[slot] }
      slot = (slot + 1) & (slots.count - 1)
    }
    guard states.count < Self.tasksMax else {
      untracked += 1
      return 0
    }
    let index = UInt32(states.count)
    slots[slot] = index
    ids.append(id)
    var state = TaskState()
    if id == 0 { state.kind = .idle }
    states.append(state)
    if states.count * 2 > slots.count { grow() }
    return index
  }

  /// Takes the group of a thread, and the kind of an unnamed one, from its name.
  mutating func name(_ index: UInt32, _ name: String?) {
    guard index != 0, let name else { return }
    if states[Int(index)].nameGroup == 0 { states[Int(index)].nameGroup = group(of: name) }
    guard states[Int(index)].kind == .unnamed else { return }
    states[Int(index)].kind = Self.isKernelThread(name) ? .kernel : .user
    states[Int(index)].isKswapd = name.hasPrefix("kswapd")
  }

  private mutating func group(of name: String) -> UInt32 {
    if let known = nameGroups[name] { return known }
    let number = newGroup()
    nameGroups[name] = number
    return number
  }

  private mutating func newGroup() -> UInt32 {
    let number = UInt32(processes.count)
    processes.append(number)
    return number
  }

  /// A thread is seen in an mm; 0 where that is no longer known.
  mutating func enter(_ process: UInt32, _ index: Int) {
    guard index != 0, states[index].process != process else { return }
    states[index].process = process
    states[index].mmGroup = process == 0 ? 0 : group(ofMM: process)
    if process != 0 { processes[Int(states[index].nameGroup)] = states[index].mmGroup }
  }

  private mutating func group(ofMM process: UInt32) -> UInt32 {
    if let known = mmGroups[process] { return known }
    guard mmGroups.count < Self.tasksMax else { return 0 }
    let number = newGroup()
    mmGroups[process] = number
    return number
  }

  /// Groups given so far lie below this.
  var groupCount: Int { processes.count }

  /// The group of threads that a thread shares its mm with: those seen in the same one, else those
  /// of the same name; 0 where neither is known.
  func processGroup(_ index: Int) -> UInt32 {
    // Field by field: a state is large, and this is asked at many moments.
    let own = states[index].mmGroup
    let name = states[index].nameGroup
    return own != 0 || name == 0 ? own : processes[Int(name)]
  }

  private mutating func grow() {
    slots = Array(repeating: 0, count: slots.count * 2)
    for index in 1..<ids.count {
      var slot = Self.hash(ids[index]) & (slots.count - 1)
      while slots[slot] != 0 { slot = (slot + 1) & (slots.count - 1) }
      slots[slot] = UInt32(index)
    }
  }

  private static func hash(_ id: Int32) -> Int {
    Int(truncatingIfNeeded: (UInt64(UInt32(bitPattern: id)) &* 0x9e37_79b9_7f4a_7c15) >> 33)
  }

  /// Whether Linux's own threads have such a name: no event says PF_KTHREAD.
  static func isKernelThread(_ name: String) -> Bool {
    kernelThreadPrefixes.contains { name.hasPrefix($0) } || kernelThreadNames.contains(name)
  }

  private static let kernelThreadPrefixes = [
    "swapper", "kworker/", "ksoftirqd/", "kswapd", "kcompactd", "migration/", "rcu_", "rcub/",
    "rcuc/", "rcuog/", "rcuop/", "rcuos/", "rcuob/", "cpuhp/", "idle_inject/", "irq/", "jbd2/",
    "ext4-", "xfs-", "xfsaild/", "btrfs-", "f2fs_", "scsi_eh_", "scsi_tmf_", "kdamond", "napi/",
    "ktimers/", "watchdogd", "nvme-", "dmcrypt_write", "loop", "md_", "kdmwork-", "kvm-pit/",
    "irqtimer", "z_", "kmmpd-",
  ]
  private static let kernelThreadNames: Set<String> = [
    "kthreadd", "khugepaged", "ksmd", "kdevtmpfs", "kauditd", "khungtaskd", "oom_reaper",
    "writeback", "kintegrityd", "kblockd", "netns", "pool_workqueue_release", "kthrotld",
    "mm_percpu_wq", "hwrng", "kpsmoused", "kstrp", "ata_sff", "psimon", "khvcd", "kmemleak",
  ]
}
