import Machine
public import Replay
import TraceEvents
public import TraceWriting

/// A machine that runs a scenario under a flush policy, and the trace that its kernel would write.
///
/// Each CPU has its own clock; the one that is furthest behind goes next. What a step changes it
/// changes at once, so a step is some microseconds of kernel code at most, and ends where it has to
/// wait for other CPUs. Every rule is Linux 6.12's (`arch/x86/mm/tlb.c`, `mm/vmscan.c`,
/// `mm/page_alloc.c`, `mm/migrate.c`, `mm/filemap.c`, `kernel/sched/fair.c`), as far as the extensions
/// say it; what is left out is said there as well.
public struct Simulation: ~Copyable {
  /// The mm of the kernel itself (`init_mm`), by the number of a process.
  static let kernelMM = -1
  /// Nanoseconds of the clock when the machine starts.
  static let startTime: UInt64 = 1_000_000_000
  /// Rows that are handed over at a time.
  static let rowsAtATime = 4096
  /// Nanoseconds of kernel code that one step may take, about.
  static let stepSpan: UInt64 = 2_000
  /// The first frame's number in the trace: the first MiB is the BIOS's.
  static let firstFrame: UInt64 = 0x400

  let scenario: Scenario
  let costs: Costs
  let isEmulated: Bool
  var memory: PhysicalMemory
  var policy: LivePolicy
  var cpus: [ModelCPU]
  var tasks: [ModelTask] = []
  var processes: [ModelProcess] = []
  var mappings: [ModelMapping] = []
  var freeMappings: [Int] = []
  var files: [ModelFile] = []
  var frames: [FrameUse]
  var timers = TimerHeap()
  /// Frames of each transfer from the device that is under way, and places of finished ones.
  var transfers: [[Int32]] = []
  var freeTransfers: [Int] = []
  var deviceBusyUntil: UInt64 = 0
  /// By node: its kswapd, whether it is awake, and the order of nodes to allocate from.
  var kswapds: [Int] = []
  var isKswapdAwake: [Bool] = []
  var zonelists: [[Int]] = []
  /// By node: until when its zone's lock is held.
  var zoneLocks: [UInt64] = []
  /// Tasks that sleep until a page is there.
  var pageWaiters: [(task: Int, frame: Int32)] = []
  var random: SplitMix64

  /// Rows since ``takeRows()``.
  var rows: [TraceRow] = []
  var isTracing = false
  var names: [String] = []
  /// What it counted so far; complete when ``advance()`` says that the window is over.
  public internal(set) var summary = RunSummary()
  var failure: SimulationError?
  /// Threads that have not come to the end, and to the window's start.
  var threadsLeft = 0
  var threadsWarming = 0
  var isWindowOver = false
  var windowStart: UInt64 = 0
  /// The policy's books when the window began.
  var before = Ledger()
  /// Emulator: the time that all CPUs share, and whose turn is next.
  var sharedClock = Simulation.startTime
  var turn = 0
  /// Steps of CPUs in the second at hand.
  var steps = 0
  var flushTime: (sum: UInt64, count: UInt64) = (0, 0)
  var balancing = BalancingState()
  /// Nanoseconds to read all of a page, by node.
  let nodeReadCost: [UInt64]

  /// A machine at rest, with a scenario to run.
  public init(_ scenario: Scenario, policy blueprint: PolicyBlueprint?) throws(SimulationError) {
    self.scenario = scenario
    costs = Costs(scenario.costs)
    let machine = scenario.machine
    isEmulated = machine.turn != nil
    nodeReadCost = machine.nodes.map { UInt64(min(max($0.pageRead.expected, 0), 1e9).rounded()) }
    memory = PhysicalMemory(
      nodes: machine.nodes, cpus: machine.cpus, minFreeKilobytes: machine.minFreeKilobytes,
      watermarkScaleFactor: machine.watermarkScaleFactor)
    frames = Array(repeating: FrameUse(), count: memory.frameCount)
    cpus = Array(repeating: ModelCPU(), count: machine.cpus)
    let threads = scenario.processes.reduce(0) { $0 + $1.threads } + machine.nodes.count
    do {
      policy = try LivePolicy(
        blueprint, cpus: machine.cpus, tasks: threads + 1, frames: memory.frameCount,
        flushDuration: costs.flushSend + costs.interruptDelivery + costs.interruptAnswer
          + 8 * costs.flushPerTarget + (machine.turn ?? 0) * 2)
    } catch {
      throw SimulationError(message: error.message)
    }
    random = SplitMix64(seed: scenario.seed)
    summary.policy = blueprint?.name ?? PolicyCatalog.recordedName
    for cpu in cpus.indices { cpus[cpu].clock = Self.startTime }
    zoneLocks = Array(repeating: 0, count: machine.nodes.count)
    balancing.isOn = machine.balancing != nil
    takeKernelPages()
    addTasks()
    rows.reserveCapacity(Self.rowsAtATime * 2)
  }

  /// What a trace of it says beside its events.
  public func traceOptions() -> TraceDatOptions {
    var options = TraceDatOptions(
      cpus: scenario.machine.cpus, version: .seven(.zstd))
    options.clock = "mono"
    options.systemName = "Linux modelled 6.12.117 x86_64"
    options.recorder = "tlbreplay synth"
    options.names = TraceNames(
      tasks: tasks.map { (task: $0.id, name: names[$0.name]) }, texts: names)
    return options
  }

  private mutating func takeKernelPages() {
    for (node, shape) in scenario.machine.nodes.enumerated() {
      for _ in 0..<min(shape.kernelPages, shape.pages) {
        guard let frame = memory.take(node, cpu: 0) else { break }
        frames[Int(frame)].kind = .kernel
      }
      memory.drainAll(node, cpu: 0)
    }
  }

  private mutating func addTasks() {
    names = ["swapper", "TB_BEGIN\n", "TB_END\n"]
    for (index, file) in scenario.files.enumerated() {
      files.append(
        ModelFile(
          inode: UInt64(12 + index), frames: Array(repeating: PTE.none, count: file.pages),
          marks: Array(repeating: false, count: file.pages)))
    }
    for node in scenario.machine.nodes.indices { addKswapd(node) }
    for process in scenario.processes { add(process) }
    threadsWarming = threadsLeft
  }

  private mutating func addKswapd(_ node: Int) {
    let shape = scenario.machine.nodes
    var task = ModelTask(id: Int32(40 + node), name: names.count)
    names.append("kswapd\(node)")
    task.isFloating = true
    task.kswapd = node
    task.cpu = (shape[node].cpus.isEmpty ? cpus.count : shape[node].cpus.upperBound) - 1
    kswapds.append(tasks.count)
    isKswapdAwake.append(false)
    tasks.append(task)
    // Nearest first: the node itself, faster ones, slower ones.
    zonelists.append([node] + shape.indices.filter { $0 != node })
  }

  private mutating func add(_ shape: ScenarioProcess) {
    let number = processes.count
    var process = ModelProcess(name: shape.name)
    process.nextAddress = 0x7f00_0000_0000 + UInt64(number) << 38
    process.threads = tasks.count..<tasks.count + shape.threads
    processes.append(process)
    for mapping in shape.mappings {
      addMapping(
        number, file: mapping.file ?? -1, offset: mapping.offset, pages: mapping.pages,
        isShared: mapping.isShared, isWritable: mapping.isWritable)
    }
    for thread in 0..<shape.threads {
      var task = ModelTask(id: Int32(1000 + tasks.count), name: names.count)
      names.append("\(shape.name.prefix(11))-\(thread)")
      task.process = number
      task.cpu = (shape.firstCPU + thread) % cpus.count
      task.program.thread = thread
      task.program.random = SplitMix64(seed: scenario.seed &+ UInt64(tasks.count) &* 0x9e37_79b9)
      tasks.append(task)
      threadsLeft += 1
    }
    if let balancing = scenario.machine.balancing {
      processes[number].scanDue =
        Self.startTime + UInt64(balancing.scanDelayMilliseconds) * 1_000_000
    }
  }

  /// Maps a range of addresses; returns the mapping's number.
  @discardableResult
  mutating func addMapping(
    _ process: Int, file: Int, offset: Int, pages: Int, isShared: Bool, isWritable: Bool,
    at address: UInt64? = nil
  ) -> Int {
    let place = address ?? processes[process].nextAddress
    if address == nil {
      // A hole of 2 MiB keeps mappings apart.
      processes[process].nextAddress += (UInt64(pages) << 12 + 0x3f_ffff) & ~0x1f_ffff
    }
    let mapping = ModelMapping(
      process: process, file: file, offset: offset, address: place, isShared: isShared,
      isWritable: isWritable, frames: Array(repeating: PTE.none, count: pages),
      bits: Array(repeating: 0, count: pages))
    let number: Int
    if let reused = freeMappings.popLast() {
      mappings[reused] = mapping
      number = reused
    } else {
      number = mappings.count
      mappings.append(mapping)
    }
    processes[process].mappings.append(number)
    if file >= 0 { files[file].mappings.append(number) }
    return number
  }

  // MARK: Running

  /// Runs until some thousand rows are there; false when the window is over.
  public mutating func advance() throws(SimulationError) -> Bool {
    if summary.tlbRow.isEmpty { start() }
    while rows.count < Self.rowsAtATime, !isWindowOver {
      if isEmulated { runTurn() } else { runNext() }
      if let failure { throw failure }
    }
    return !isWindowOver
  }

  /// Hands over the rows so far, and forgets them.
  public mutating func takeRows(_ body: (TraceRow) throws(TraceWriteError) -> Void)
    throws(TraceWriteError)
  {
    for row in rows { try body(row) }
    rows.removeAll(keepingCapacity: true)
  }

  /// What is wrong with the books of frames and of the policy at the end; nil if nothing is.
  public mutating func imbalance() -> String? {
    if !policy.finish(at: windowStart + summary.runTime) {
      return "the books of \(summary.policy) do not balance"
    }
    return memory.imbalance()
  }

  private mutating func start() {
    summary.tlbRow = Array(repeating: 0, count: cpus.count)
    for task in tasks.indices where tasks[task].process >= 0 { wake(task, at: Self.startTime) }
    timers.add(.second, 0, at: Self.startTime + 1_000_000_000)
    if threadsLeft == 0 { isWindowOver = true }
  }

  /// Every thread has warmed up: the window begins once kswapd is through.
  mutating func beginWindow(_ task: Int, _ cpu: Int) {
    let policyName = summary.policy
    summary = RunSummary()
    summary.policy = policyName
    summary.tlbRow = Array(repeating: 0, count: cpus.count)
    prepareFreePages(cpu)
    for other in cpus.indices { cpus[cpu].clock = max(cpus[cpu].clock, cpus[other].clock) }
    flushTime = (0, 0)
    isTracing = true
    windowStart = cpus[cpu].clock
    before = policy.ledger
    emit(.print, cpu, 1)
  }

  /// The last thread has come to its end.
  mutating func endWindow(_ task: Int, _ cpu: Int) {
    // The mark is the last event of all.
    for other in cpus.indices { cpus[cpu].clock = max(cpus[cpu].clock, cpus[other].clock) }
    emit(.print, cpu, 2)
    isTracing = false
    isWindowOver = true
    summary.runTime = cpus[cpu].clock - windowStart
    for cpu in cpus.indices { summary.tlbRow[cpu] = cpus[cpu].row }
    let ledger = policy.ledger
    summary.flushDuration = flushTime.count > 0 ? flushTime.sum / flushTime.count : 0
    summary.deferred = ledger.deferred - before.deferred
    summary.refused = ledger.refused - before.refused
  }

  // MARK: Events

  /// Writes an event of the task on `cpu`, now.
  mutating func emit(
    _ kind: EventKind, _ cpu: Int, _ a: UInt64 = 0, _ b: UInt64 = 0, _ c: UInt64 = 0,
    _ d: UInt64 = 0, _ e: UInt64 = 0, _ f: UInt64 = 0, _ g: UInt64 = 0, _ h: UInt64 = 0
  ) {
    guard isTracing, cpus[cpu].clock >= windowStart else { return }
    let current = cpus[cpu].current
    var row = TraceRow(
      kind, cpu: UInt16(cpu), task: current < 0 ? 0 : tasks[current].id, time: cpus[cpu].clock)
    row.words[0] = a
    row.words[1] = b
    row.words[2] = c
    row.words[3] = d
    row.words[4] = e
    row.words[5] = f
    row.words[6] = g
    row.words[7] = h
    rows.append(row)
    summary.events += 1
    cpus[cpu].clock += costs.traceEvent
  }

  /// The number that a frame has in the trace.
  func pfn(_ frame: Int32) -> UInt64 { UInt64(frame) + Self.firstFrame }

  mutating func fail(_ message: String) {
    if failure == nil { failure = SimulationError(message: message) }
  }
}
