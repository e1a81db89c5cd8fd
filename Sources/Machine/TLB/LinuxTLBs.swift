public import TraceEvents

/// The TLBs of all CPUs of a machine, kept as x86 Linux keeps them.
///
/// Each CPU has one address space loaded, in one of six slots (ASIDs) with the generation up to which
/// it has flushed it; a flush raises the generation of the address space and interrupts the CPUs in
/// its mask that are not lazy (Linux 6.12 `arch/x86/mm/tlb.c`; what other kernels do otherwise is in
/// ``FlushRules``). There are two ways to drive it: by what programs and kernel do (``switchTo(_:cpu:)``,
/// ``flush(_:_:freesTables:initiator:)``), which follows the rules, and by what a trace recorded
/// (``applyShootdown(cpu:pages:range:)``), which is taken as it is.
///
/// A flush is at once everywhere, unless ``send(_:_:freesTables:initiator:)`` and
/// ``deliver(_:to:)`` are used apart. CPUs that are not of the machine are ignored.
public struct LinuxTLBs: Sendable {
  /// Which CPUs are logical CPUs of one core.
  public enum Siblings: Hashable, Sendable {
    /// Each CPU has a core.
    case none
    /// CPU n and n + 1.
    case adjacent
    /// CPU n and n + half of all: as Linux numbers them on most servers.
    case halves
  }

  struct CPU {
    var loaded = 0
    var asid = 0
    var isLazy = false
    var nextASID = 1
    /// Other slots are to be forgotten at the next switch (`invalidate_other`, page-table isolation).
    var forgetsOthers = false
  }

  /// An address space in a slot of a CPU; -1 for none.
  struct Slot {
    var space = -1
    var generation: UInt64 = 0
  }

  struct Space {
    var generation: UInt64 = 1
    var pages: PageMap
    /// ASID that is the same on all CPUs.
    var globalASID: Int?
    var shootdowns: UInt64 = 0
    var nextTrim: UInt64
  }

  /// CPUs at most: the kernel's limit on any distribution.
  public static let cpusMax = 4096
  static let slots = FlushRules.dynamicASIDs

  /// The kernel's rules.
  public let rules: FlushRules
  /// CPUs of the machine.
  public let cpus: Int
  /// Time in nanoseconds, which the driver moves on: masks are trimmed once a second.
  public var time: UInt64 = 0
  let isKernelGlobal: Bool
  private let siblings: Siblings
  private var cores: [TranslationBuffers]
  var states: [CPU]
  var slotTable: [Slot]
  var spaces: [Space]
  /// `mm_cpumask` of each address space, ``maskWords`` words each.
  var masks: [UInt64]
  let maskWords: Int
  var paths: [FlushPathCounts]
  var nextGlobalASID = FlushRules.dynamicASIDs

  /// Idle CPUs with empty TLBs; all run the kernel's address space.
  public init(
    cpus: Int, _ geometry: TLBGeometry, rules: FlushRules = .linux61, isKernelGlobal: Bool = true,
    siblings: Siblings = .none
  ) {
    let cpus = min(max(cpus, 1), Self.cpusMax)
    self.cpus = cpus
    self.rules = rules
    self.isKernelGlobal = isKernelGlobal
    self.siblings = cpus % 2 == 0 ? siblings : .none
    let threads = self.siblings == .none ? 1 : 2
    let core = TranslationBuffers(geometry, threads: threads, isKernelGlobal: isKernelGlobal)
    cores = Array(repeating: core, count: cpus / threads)
    states = Array(repeating: CPU(), count: cpus)
    slotTable = Array(repeating: Slot(), count: cpus * Self.slots)
    for cpu in 0..<cpus { slotTable[cpu * Self.slots] = Slot(space: 0, generation: 1) }
    spaces = [Space(pages: PageMap(), nextTrim: FlushRules.trimNanoseconds)]
    maskWords = (cpus + 63) / 64
    masks = Array(repeating: 0, count: maskWords)
    paths = Array(repeating: FlushPathCounts(), count: cpus)
    for cpu in 0..<cpus { select(asid: 0, cpu) }
  }

  /// A new address space, loaded nowhere.
  public mutating func addSpace(pages: PageMap = PageMap()) -> AddressSpace {
    spaces.append(Space(pages: pages, nextTrim: time &+ FlushRules.trimNanoseconds))
    masks += Array(repeating: 0, count: maskWords)
    return AddressSpace(index: spaces.count - 1)
  }

  // MARK: What is there

  /// The address space that a CPU has loaded.
  public func loaded(on cpu: Int) -> AddressSpace { AddressSpace(index: states[cpu].loaded) }

  /// Whether a CPU keeps an address space loaded without using it.
  public func isLazy(_ cpu: Int) -> Bool { states[cpu].isLazy }

  /// Whether a CPU is in the mask of an address space.
  public func mask(of space: AddressSpace, contains cpu: Int) -> Bool {
    masks[space.index * maskWords + cpu / 64] >> UInt64(cpu % 64) & 1 != 0
  }

  /// The PCID that a CPU has set: ASID plus one (`kern_pcid`).
  public func pcid(of cpu: Int) -> UInt16 { cores[core(cpu)].pcid(of: thread(cpu)) }

  /// What the TLBs of a CPU did.
  public func counts(of cpu: Int) -> TranslationCounts {
    cores[core(cpu)].counts(of: thread(cpu))
  }

  /// What the flush path of a CPU did.
  public func flushCounts(of cpu: Int) -> FlushPathCounts { paths[cpu] }

  // MARK: Accesses

  /// Looks accesses of a CPU up, under the address space that it has loaded.
  public mutating func access(_ accesses: UnsafeBufferPointer<PageAccess>, cpu: Int) {
    guard isCPU(cpu) else { return }
    let pages = spaces[states[cpu].loaded].pages
    cores[core(cpu)].access(accesses, thread: thread(cpu), pages: pages)
  }

  /// Looks accesses of a CPU up, under the address space that it has loaded.
  public mutating func access(_ accesses: [PageAccess], cpu: Int) {
    accesses.withUnsafeBufferPointer { access($0, cpu: cpu) }
  }

  // MARK: The hardware below

  func isCPU(_ cpu: Int) -> Bool { cpu >= 0 && cpu < cpus }

  private func core(_ cpu: Int) -> Int {
    switch siblings {
    case .none: cpu
    case .adjacent: cpu / 2
    case .halves: cpu % (cpus / 2)
    }
  }

  private func thread(_ cpu: Int) -> Int {
    switch siblings {
    case .none: 0
    case .adjacent: cpu % 2
    case .halves: cpu / (cpus / 2)
    }
  }

  mutating func select(asid: Int, _ cpu: Int) {
    cores[core(cpu)].select(pcid: UInt16(truncatingIfNeeded: asid + 1), thread: thread(cpu))
  }

  mutating func dropNonGlobal(_ cpu: Int, asid: Int? = nil) {
    let pcid = asid.map { UInt16(truncatingIfNeeded: $0 + 1) }
    cores[core(cpu)].flushNonGlobal(pcid: pcid, thread: thread(cpu))
  }

  mutating func dropAll(_ cpu: Int) { cores[core(cpu)].flushAll(thread: thread(cpu)) }

  mutating func dropPagingStructures(_ cpu: Int) {
    cores[core(cpu)].flushPagingStructures(thread: thread(cpu))
  }

  /// INVLPG for each page.
  mutating func drop(_ range: FlushRange, _ cpu: Int) {
    cores[core(cpu)].flush(range, thread: thread(cpu))
  }

  /// INVLPG for each page under another ASID than the current one.
  mutating func drop(_ range: FlushRange, asid: Int, _ cpu: Int) {
    let current = pcid(of: cpu)
    select(asid: asid, cpu)
    drop(range, cpu)
    cores[core(cpu)].select(pcid: current, thread: thread(cpu))
  }
}
