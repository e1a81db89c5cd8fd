import Machine
import Replay
import TraceEvents

extension Simulation {
  // MARK: Whose turn

  /// Runs the CPU that is furthest behind for one step, or a timer.
  mutating func runNext() {
    var earliest = 0
    var time = UInt64.max
    for cpu in cpus.indices {
      let next = nextTime(cpu)
      if next < time {
        time = next
        earliest = cpu
      }
    }
    if timers.first <= time {
      guard timers.first < .max else { return fail("the machine has come to a stop") }
      return fire()
    }
    runStep(earliest, at: time, until: .max)
  }

  /// When a CPU does something next, if nobody disturbs it.
  private func nextTime(_ cpu: Int) -> UInt64 {
    let interrupt = cpus[cpu].interrupts.first.map { max($0.arrival, cpus[cpu].clock) } ?? .max
    if cpus[cpu].outstanding > 0 { return interrupt }
    if cpus[cpu].current >= 0 {
      return min(interrupt, cpus[cpu].clock + tasks[cpus[cpu].current].computeLeft)
    }
    return cpus[cpu].runnable.isEmpty ? interrupt : min(interrupt, cpus[cpu].clock)
  }

  /// One CPU after the other, a turn each, as an emulator with an instruction counter does.
  ///
  /// A CPU that waits for answers uses its turn up: it looks all the time.
  mutating func runTurn() {
    while timers.first <= sharedClock { fire() }
    for _ in cpus.indices {
      let cpu = turn
      turn = (turn + 1) % cpus.count
      guard isReady(cpu) else { continue }
      let end = sharedClock + (scenario.machine.turn ?? 1)
      guard payDebt(cpu, until: end) else {
        sharedClock = end
        return
      }
      while cpus[cpu].clock < end, isReady(cpu), !isWindowOver {
        let arrival = cpus[cpu].interrupts.first?.arrival ?? .max
        let isWaiting =
          cpus[cpu].outstanding > 0 || (cpus[cpu].current < 0 && cpus[cpu].runnable.isEmpty)
        if isWaiting, arrival > cpus[cpu].clock {
          cpus[cpu].clock = min(end, arrival)
        } else {
          runStep(cpu, at: cpus[cpu].clock, until: end)
        }
      }
      // What it began and did not end in its turn it goes on with in the next.
      if cpus[cpu].clock > end { cpus[cpu].debt = cpus[cpu].clock - end }
      sharedClock = max(sharedClock, min(cpus[cpu].clock, end))
      return
    }
    guard timers.first < .max else { return fail("the machine has come to a stop") }
    sharedClock = max(sharedClock, timers.first)
  }

  /// The emulator's own part of a turn, and the rest of what the CPU was in the middle of, which takes
  /// no interrupts: mostly moves between lists under a zone's lock. False if that takes all of it.
  private mutating func payDebt(_ cpu: Int, until end: UInt64) -> Bool {
    let start = sharedClock + scenario.machine.turnOverhead
    guard cpus[cpu].debt < end - start else {
      cpus[cpu].debt -= end - start
      return false
    }
    cpus[cpu].clock = max(cpus[cpu].clock, start + cpus[cpu].debt)
    cpus[cpu].debt = 0
    return true
  }

  private func isReady(_ cpu: Int) -> Bool {
    cpus[cpu].debt > 0 || cpus[cpu].current >= 0 || !cpus[cpu].runnable.isEmpty
      || !cpus[cpu].interrupts.isEmpty
  }

  private mutating func runStep(_ cpu: Int, at time: UInt64, until end: UInt64) {
    if let interrupt = cpus[cpu].interrupts.first, max(interrupt.arrival, cpus[cpu].clock) <= time {
      passTime(cpu, to: max(interrupt.arrival, cpus[cpu].clock))
      return takeInterrupt(cpu)
    }
    let task = cpus[cpu].current
    steps += 1
    guard task >= 0 else { return schedule(cpu) }
    if tasks[task].computeLeft > 0 {
      passTime(cpu, to: min(cpus[cpu].clock + tasks[task].computeLeft, end))
      if tasks[task].computeLeft > 0 { return }
    }
    if !cpus[cpu].runnable.isEmpty, cpus[cpu].clock >= cpus[cpu].sliceEnd { return schedule(cpu) }
    step(task, cpu)
  }

  /// The task computes up to `time`.
  private mutating func passTime(_ cpu: Int, to time: UInt64) {
    guard time > cpus[cpu].clock else { return }
    let task = cpus[cpu].current
    if task >= 0 {
      tasks[task].computeLeft -= min(tasks[task].computeLeft, time - cpus[cpu].clock)
    }
    cpus[cpu].clock = time
  }

  private mutating func fire() {
    let timer = timers.removeFirst()
    switch timer.kind {
    case .wake: wake(timer.subject, at: timer.time)
    case .deviceDone: finishTransfer(timer.subject, at: timer.time)
    case .kswapdDozes: doze(timer.subject, at: timer.time)
    case .second:
      guard steps > 0 || timers.first < .max else {
        return fail("the machine has come to a stop: every thread waits")
      }
      steps = 0
      decayLists(at: timer.time)
      timers.add(.second, 0, at: timer.time + 1_000_000_000)
    }
  }

  /// A step of a task: what is innermost goes on.
  private mutating func step(_ task: Int, _ cpu: Int) {
    if !tasks[task].flushes.isEmpty {
      let mask = tasks[task].flushes.removeFirst()
      summary.deferredFlushes += 1
      flushBatch(mask, task, cpu)
    } else if tasks[task].migration.phase != .none {
      stepMigration(task, cpu)
    } else if tasks[task].reclaim.phase != .none {
      stepReclaim(task, cpu)
    } else if tasks[task].fault.phase != .none {
      stepFault(task, cpu)
    } else if tasks[task].call.phase != .none {
      stepCall(task, cpu)
    } else if tasks[task].kswapd >= 0 {
      stepKswapd(task, cpu)
    } else {
      stepProgram(task, cpu)
    }
  }

  /// Takes over what the policy wants done before `task` goes on.
  mutating func takeFlushes(_ task: Int) {
    guard !policy.flushes.isEmpty else { return }
    for mask in policy.flushes {
      var bits: UInt64 = 0
      mask.forEach { bits |= 1 << UInt64($0) }
      tasks[task].flushes.append(bits)
    }
    policy.flushes.removeAll(keepingCapacity: true)
  }

  // MARK: Tasks

  /// EEVDF's slice: 0.75 ms, more with more CPUs (`sysctl_sched_base_slice`, Linux 6.12).
  private var slice: UInt64 {
    let factor = min(1 + (Int.bitWidth - 1 - cpus.count.leadingZeroBitCount), 4)
    return 750_000 * UInt64(factor)
  }

  /// Makes a task runnable.
  mutating func wake(_ task: Int, at time: UInt64) {
    guard tasks[task].state == .asleep else { return }
    tasks[task].state = .runnable
    var cpu = tasks[task].cpu
    if tasks[task].isFloating, !isIdle(cpu) {
      cpu = cpus.indices.first { isIdle($0) } ?? cpu
    }
    tasks[task].cpu = cpu
    if isIdle(cpu) {
      cpus[cpu].clock = max(cpus[cpu].clock, time)
    }
    // `RUN_TO_PARITY`: who runs keeps the CPU to the end of its slice.
    cpus[cpu].runnable.append(task)
  }

  private func isIdle(_ cpu: Int) -> Bool {
    cpus[cpu].current < 0 && cpus[cpu].runnable.isEmpty
  }

  /// The task on `cpu` sleeps until somebody wakes it.
  mutating func sleep(_ task: Int, _ cpu: Int, uninterruptible: Bool) {
    tasks[task].state = .asleep
    tasks[task].sleepKind = uninterruptible ? 2 : 1
    schedule(cpu)
  }

  /// The task on `cpu` ends.
  mutating func finish(_ task: Int, _ cpu: Int) {
    tasks[task].state = .finished
    schedule(cpu)
  }

  /// Gives the CPU to who has waited longest; else it idles.
  private mutating func schedule(_ cpu: Int) {
    let previous = cpus[cpu].current
    var next = -1
    if !cpus[cpu].runnable.isEmpty {
      next = cpus[cpu].runnable.removeFirst()
    } else if previous >= 0, tasks[previous].state == .running {
      next = previous
    } else {
      next = pull(cpu) ?? -1
    }
    cpus[cpu].sliceEnd = cpus[cpu].clock + slice
    guard next != previous else { return }
    if previous >= 0, tasks[previous].state == .running {
      tasks[previous].state = .runnable
      cpus[cpu].runnable.append(previous)
    }
    switchTask(cpu, from: previous, to: next)
  }

  /// A CPU that would idle takes a kernel thread that waits for another one.
  private mutating func pull(_ cpu: Int) -> Int? {
    for other in cpus.indices where other != cpu && cpus[other].current >= 0 {
      guard let place = cpus[other].runnable.firstIndex(where: { tasks[$0].isFloating }) else {
        continue
      }
      let task = cpus[other].runnable.remove(at: place)
      tasks[task].cpu = cpu
      cpus[cpu].clock = max(cpus[cpu].clock, isEmulated ? sharedClock : cpus[cpu].clock)
      return task
    }
    return nil
  }

  private mutating func switchTask(_ cpu: Int, from previous: Int, to next: Int) {
    let sleepKind: UInt64 =
      previous < 0 || tasks[previous].state == .runnable
      ? 0 : tasks[previous].state == .finished ? 0x10 : tasks[previous].sleepKind
    emit(
      .schedSwitch, cpu, previous < 0 ? 0 : UInt64(tasks[previous].id),
      next < 0 ? 0 : UInt64(tasks[next].id), sleepKind,
      UInt64(previous < 0 ? 0 : tasks[previous].name), UInt64(next < 0 ? 0 : tasks[next].name))
    let process = next < 0 ? Self.kernelMM : tasks[next].process
    if process == Self.kernelMM {
      enterLazy(cpu)
    } else {
      switchMM(cpu, to: process)
    }
    cpus[cpu].clock += costs.contextSwitch
    cpus[cpu].current = next
    if next >= 0 { tasks[next].state = .running }
  }

  // MARK: Address spaces

  /// `enter_lazy_tlb`: a kernel thread, or nobody, leaves the mm loaded.
  private mutating func enterLazy(_ cpu: Int) {
    guard cpus[cpu].loaded != Self.kernelMM, !cpus[cpu].isLazy else { return }
    cpus[cpu].isLazy = true
    policy.note(.lazyBegin, cpu: cpu, task: 0, time: cpus[cpu].clock)
  }

  /// `switch_mm_irqs_off` to a process's mm, or to the kernel's.
  mutating func switchMM(_ cpu: Int, to process: Int) {
    let previous = cpus[cpu].loaded
    let wasLazy = cpus[cpu].isLazy
    let bit = UInt64(1) << UInt64(cpu)
    if wasLazy {
      cpus[cpu].isLazy = false
      policy.note(.lazyEnd, cpu: cpu, task: 0, time: cpus[cpu].clock)
    }
    let generation = process < 0 ? 1 : processes[process].generation
    var mustFlush = true
    if previous == process {
      if !wasLazy { return }
      if cpus[cpu].contexts[cpus[cpu].context].generation == generation { return }
    } else {
      if previous >= 0 { processes[previous].mask &= ~bit }
      if process >= 0 { processes[process].mask |= bit }
      mustFlush = chooseContext(cpu, process, generation)
    }
    cpus[cpu].loaded = process
    cpus[cpu].contexts[cpus[cpu].context] = ModelCPU.Context(
      process: process, generation: generation)
    count(0, nothing: !mustFlush)
    emit(.tlbFlush, cpu, 0, mustFlush ? .max : 0)
    policy.note(.switchedMM, cpu: cpu, task: 0, time: cpus[cpu].clock)
  }

  /// `choose_new_asid`: whether the slot that the process gets has to be flushed.
  private mutating func chooseContext(_ cpu: Int, _ process: Int, _ generation: UInt64) -> Bool {
    for slot in 0..<ModelCPU.contextCount
    where cpus[cpu].contexts[slot].process == process
      && cpus[cpu].contexts[slot].generation > 0
    {
      cpus[cpu].context = slot
      return cpus[cpu].contexts[slot].generation < generation
    }
    cpus[cpu].context = cpus[cpu].nextContext
    cpus[cpu].nextContext = (cpus[cpu].nextContext + 1) % ModelCPU.contextCount
    return true
  }

  mutating func count(_ reason: Int, nothing: Bool) {
    guard isTracing else { return }
    summary.flushes[reason] += 1
    if nothing { summary.flushesOfNothing[reason] += 1 }
  }
}
