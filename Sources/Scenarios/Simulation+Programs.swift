import Machine
import TraceEvents

/// Where a thread is in its phases.
struct Program {
  var thread = 0
  var phase = 0
  var hasBegun = false
  var pass = 0
  /// First page of the layer, page of the slice that comes next, and accesses or rounds done.
  var layer = 0
  var next = 0
  var done = 0
  var isAtBarrier = false
  /// Whether it waits for the others without sleeping.
  var isSpinning = false
  var hasWarmed = false
  var random = SplitMix64(seed: 0)
  /// Of a call's round.
  var round = 0
}

/// What a thread does next.
enum Access {
  case page(Int, isWrite: Bool)
  /// A page of the file that need not be mapped.
  case unmapped(Int)
  case hot(Range<Int>)
  case call
  case barrier
  case phaseDone
}

extension Simulation {
  /// Nanoseconds of work that a step looks ahead at most.
  private static let lookAhead: UInt64 = 20_000
  /// How long a thread spins before it looks whether it still has to; being released ends it at once.
  private static let spinSpan: UInt64 = 10_000_000_000

  /// The thread goes on in its phase: touches pages until one is not there.
  mutating func stepProgram(_ task: Int, _ cpu: Int) {
    let process = tasks[task].process
    let phases = scenario.processes[process].phases
    guard tasks[task].program.phase < phases.count else { return endThread(task, cpu) }
    let phase = phases[tasks[task].program.phase]
    if tasks[task].program.isSpinning {
      tasks[task].computeLeft = Self.spinSpan
      return
    }
    if !tasks[task].program.hasBegun, !beginPhase(phase, task, cpu) { return }
    if scanIsDue(task, cpu) { return }
    let mapping = mapping(of: phase, process)
    var time: UInt64 = 0
    var touched = 0
    while time < Self.lookAhead {
      switch nextAccess(phase, mapping, task) {
      case .page(let place, let isWrite):
        guard touch(mapping, place, isWrite: isWrite, &time) else {
          // Come again to this access once the fault is through.
          tasks[task].program.next -= 1
          finishStep(task, time, touched)
          if time == 0 { beginFault(mapping, place, isWrite: isWrite, task, cpu) }
          return
        }
        touched += 1
        time += phase.compute
      case .hot(let range):
        for place in range where !touch(mapping, place, isWrite: false, &time) {
          finishStep(task, time, touched)
          if time == 0 { beginFault(mapping, place, isWrite: false, task, cpu) }
          return
        }
        time += max(phase.compute, Self.lookAhead)
      case .unmapped(let place):
        if files[mappings[mapping].file].frames[mappings[mapping].offset + place] >= 0 { continue }
        finishStep(task, time, touched)
        tasks[task].program.next -= 1
        if time == 0 { beginRead(mapping, place, task) }
        return
      case .call:
        finishStep(task, time, touched)
        if time == 0 { beginCall(phase, mapping, task, cpu) }
        return
      case .barrier:
        finishStep(task, time, touched)
        if time == 0 { arrive(phase, task, cpu) }
        return
      case .phaseDone:
        finishStep(task, time, touched)
        if time == 0 { endPhase(phase, task) }
        return
      }
    }
    finishStep(task, time, touched)
  }

  private mutating func finishStep(_ task: Int, _ time: UInt64, _ touched: Int) {
    tasks[task].computeLeft = time
    if isTracing { summary.touched += touched }
  }

  private func mapping(of phase: ScenarioPhase, _ process: Int) -> Int {
    let all = processes[process].mappings
    return phase.mapping < all.count ? all[phase.mapping] : -1
  }

  /// Reads or writes a page; false if that faults.
  private mutating func touch(
    _ mapping: Int, _ place: Int, isWrite: Bool, _ time: inout UInt64
  ) -> Bool {
    let frame = mappings[mapping].frames[place]
    guard frame >= 0 else { return false }
    let bits = mappings[mapping].bits[place]
    guard bits & PTE.inaccessible == 0, !isWrite || bits & PTE.writable != 0 else { return false }
    mappings[mapping].bits[place] = bits | PTE.accessed | (isWrite ? PTE.dirty : 0)
    time += nodeReadCost[memory.node(of: frame)]
    return true
  }

  // MARK: Phases

  private func isMember(_ phase: ScenarioPhase, _ task: Int) -> Bool {
    phase.threads?.contains(tasks[task].program.thread) ?? true
  }

  /// Begins a phase; false if the thread has nothing to do in it, or has to wait first.
  private mutating func beginPhase(_ phase: ScenarioPhase, _ task: Int, _ cpu: Int) -> Bool {
    if !phase.isWarmUp, !tasks[task].program.isAtBarrier, !waitForWindow(task, cpu) { return false }
    guard isMember(phase, task) else {
      tasks[task].program.phase += 1
      return false
    }
    tasks[task].program.hasBegun = true
    tasks[task].program.pass = 0
    tasks[task].program.layer = 0
    tasks[task].program.next = 0
    tasks[task].program.done = 0
    return true
  }

  private mutating func endPhase(_ phase: ScenarioPhase, _ task: Int) {
    tasks[task].program.hasBegun = false
    tasks[task].program.phase += 1
  }

  /// All threads of all processes meet before the traced window; false if this one has to wait.
  private mutating func waitForWindow(_ task: Int, _ cpu: Int) -> Bool {
    guard !isTracing else { return true }
    if !tasks[task].program.hasWarmed {
      tasks[task].program.hasWarmed = true
      threadsWarming -= 1
    }
    guard threadsWarming == 0 else {
      tasks[task].program.isAtBarrier = true
      sleep(task, cpu, uninterruptible: false)
      return false
    }
    // kswapd gets the time to come to rest, and what is under way ends.
    let isQuiet = cpus.allSatisfy { $0.interrupts.isEmpty && $0.outstanding == 0 }
    if isKswapdAwake.contains(true) || !isQuiet {
      timers.add(.wake, task, at: cpus[cpu].clock + 1_000_000)
      sleep(task, cpu, uninterruptible: false)
      return false
    }
    tasks[task].program.isAtBarrier = true
    for process in processes.indices {
      processes[process].busyThreads =
        processes[process].threads.filter { thread in
          scenario.processes[process].phases.contains {
            !$0.isWarmUp && $0.pattern != .hot && isMember($0, thread)
          }
        }.count
    }
    beginWindow(task, cpu)
    for other in tasks.indices where other != task && tasks[other].process >= 0 {
      wake(other, at: cpus[cpu].clock)
    }
    return true
  }

  private mutating func endThread(_ task: Int, _ cpu: Int) {
    if !tasks[task].program.isAtBarrier, !waitForWindow(task, cpu) { return }
    let process = tasks[task].process
    if scenario.processes[process].phases.contains(where: {
      !$0.isWarmUp && $0.pattern != .hot && isMember($0, task)
    }) {
      processes[process].busyThreads -= 1
    }
    threadsLeft -= 1
    releaseBarrier(process, at: cpus[cpu].clock)
    if threadsLeft == 0 { endWindow(task, cpu) }
    if !isWindowOver { finish(task, cpu) }
  }

  // MARK: Barriers

  private mutating func arrive(_ phase: ScenarioPhase, _ task: Int, _ cpu: Int) {
    let process = tasks[task].process
    processes[process].waiting.append(task)
    tasks[task].program.round = 1
    tasks[task].program.isSpinning = phase.spins
    releaseBarrier(process, at: cpus[cpu].clock)
    guard processes[process].waiting.contains(task), !phase.spins else { return }
    sleep(task, cpu, uninterruptible: false)
  }

  /// Lets everybody go on if all who are still at work have arrived.
  private mutating func releaseBarrier(_ process: Int, at time: UInt64) {
    let waiting = processes[process].waiting
    guard !waiting.isEmpty else { return }
    let working = processes[process].threads.filter { tasks[$0].state != .finished }.count
    guard waiting.count >= min(working, processes[process].busyThreads) else { return }
    processes[process].waiting.removeAll(keepingCapacity: true)
    for task in waiting {
      guard tasks[task].program.isSpinning else {
        wake(task, at: time)
        continue
      }
      tasks[task].program.isSpinning = false
      let clock = cpus[tasks[task].cpu].clock
      tasks[task].computeLeft = isEmulated || time < clock ? 0 : time - clock
    }
  }

  // MARK: Patterns

  private mutating func nextAccess(
    _ phase: ScenarioPhase, _ mapping: Int, _ task: Int
  ) -> Access {
    let process = tasks[task].process
    let members = phase.threads ?? 0..<processes[process].threads.count
    let index = tasks[task].program.thread - members.lowerBound
    let pages = mapping >= 0 ? mappings[mapping].frames.count : 0
    switch phase.pattern {
    case .layers: return nextOfLayers(phase, task, index, members.count, pages)
    case .read:
      let access = nextOfSlices(phase, task, index, members.count, pages)
      if case .page(let place, _) = access { return .unmapped(place) }
      return access
    case .slices, .strided: return nextOfSlices(phase, task, index, members.count, pages)
    case .random, .zipf: return nextAtRandom(phase, task, pages)
    case .hot:
      guard processes[process].busyThreads > 0, pages > 0 else { return .phaseDone }
      let count = min(max(phase.unitPages, 1), pages)
      let first = tasks[task].program.thread * count % max(pages - count + 1, 1)
      return .hot(first..<first + count)
    case .churn, .remap, .pin, .write:
      guard tasks[task].program.done < phase.passes else { return .phaseDone }
      return .call
    }
  }

  private mutating func nextOfLayers(
    _ phase: ScenarioPhase, _ task: Int, _ index: Int, _ count: Int, _ pages: Int
  ) -> Access {
    let unit = min(max(phase.unitPages, count), max(pages, 1))
    let slice = max(unit / count, 1)
    if tasks[task].program.next > slice {
      // Behind the slice and the page that all threads read: the next layer.
      if phase.hasBarrier, tasks[task].program.round == 0 { return .barrier }
      tasks[task].program.round = 0
      tasks[task].program.next = 0
      tasks[task].program.layer += unit
    }
    if tasks[task].program.layer + unit > pages {
      tasks[task].program.layer = 0
      tasks[task].program.pass += 1
    }
    guard tasks[task].program.pass < phase.passes, pages >= unit else { return .phaseDone }
    let next = tasks[task].program.next
    tasks[task].program.next += 1
    let layer = tasks[task].program.layer
    if next == slice { return .page(layer, isWrite: false) }
    let place = min(layer + slice * index + next, layer + unit - 1)
    return .page(place, isWrite: isWrite(phase, task))
  }

  private mutating func nextOfSlices(
    _ phase: ScenarioPhase, _ task: Int, _ index: Int, _ count: Int, _ pages: Int
  ) -> Access {
    let slice = pages / max(count, 1)
    let stride = phase.pattern == .strided ? max(phase.unitPages, 1) : 1
    let steps = slice / stride
    if tasks[task].program.next >= steps {
      tasks[task].program.next = 0
      tasks[task].program.pass += 1
    }
    guard tasks[task].program.pass < phase.passes, steps > 0 else { return .phaseDone }
    let next = tasks[task].program.next
    tasks[task].program.next += 1
    return .page(slice * index + next * stride, isWrite: isWrite(phase, task))
  }

  private mutating func nextAtRandom(
    _ phase: ScenarioPhase, _ task: Int, _ pages: Int
  ) -> Access {
    // `next` is 0 when the access before has been made; a fault sets it back to repeat it.
    if tasks[task].program.next < 0 {
      tasks[task].program.next = 0
      return .page(tasks[task].program.layer, isWrite: tasks[task].program.round == 1)
    }
    guard tasks[task].program.done < phase.accesses, pages > 0 else { return .phaseDone }
    tasks[task].program.done += 1
    let uniform = Double(tasks[task].program.random.next() >> 11) * 0x1p-53
    var place = Int(uniform * Double(pages))
    if phase.pattern == .zipf {
      // Ranks by their logarithm: a density of 1/rank, spread over the mapping.
      let rank = Int(exponential(uniform, pages))
      place = Int(truncatingIfNeeded: (UInt64(rank) &* 0x9e37_79b9_7f4a_7c15) % UInt64(pages))
    }
    tasks[task].program.layer = min(place, pages - 1)
    let isWrite = isWrite(phase, task)
    tasks[task].program.round = isWrite ? 1 : 0
    return .page(tasks[task].program.layer, isWrite: isWrite)
  }

  /// `pages` to the power of `share`, by squaring: the same on every machine.
  private func exponential(_ share: Double, _ pages: Int) -> Double {
    var result = 1.0
    var factor = Double(pages)
    var rest = share
    for _ in 0..<40 {
      factor = factor.squareRoot()
      rest *= 2
      if rest >= 1 {
        rest -= 1
        result *= factor
      }
    }
    return result - 1
  }

  private mutating func isWrite(_ phase: ScenarioPhase, _ task: Int) -> Bool {
    guard phase.writePercent > 0 else { return false }
    return tasks[task].program.random.next() % 100 < UInt64(phase.writePercent)
  }
}
