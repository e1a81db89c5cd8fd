import Machine
import TraceEvents

/// Linux's rules for flushing other CPUs with objects and dictionaries, and TLBs that never run full:
/// the twin of `LinuxTLBs`.
final class SlowKernel {
  final class Space {
    var generation = 1
    var mask: Set<Int> = []
    var nextTrim: UInt64
    let isKernel: Bool

    init(isKernel: Bool = false, time: UInt64 = 0) {
      self.isKernel = isKernel
      nextTrim = time + FlushRules.trimNanoseconds
    }
  }

  final class CPU {
    var loaded: Space
    var asid = 0
    var isLazy = false
    var next = 1
    var slots: [Int: (space: Space, generation: Int)]
    /// Pages by ASID; nil is global.
    var cached: [Int?: Set<UInt64>] = [:]
    var walks: UInt64 = 0
    var row: UInt64 = 0
    var events: [String: UInt64] = [:]

    init(_ kernel: Space) {
      loaded = kernel
      slots = [0: (kernel, 1)]
    }

    func note(_ reason: FlushReason, _ pages: Int) {
      let pages: FlushPathCounts.Pages = pages == 0 ? .none : pages < 0 ? .all : .some
      events["\(reason) \(pages)", default: 0] += 1
    }
  }

  let rules: FlushRules
  let kernel = Space(isKernel: true)
  let cpus: [CPU]
  var time: UInt64 = 0

  init(cpus: Int, rules: FlushRules) {
    self.rules = rules
    let kernel = kernel
    self.cpus = (0..<cpus).map { _ in CPU(kernel) }
  }

  func access(_ page: UInt64, _ number: Int) {
    let cpu = cpus[number]
    let key: Int? = page >> 51 == 1 ? nil : cpu.asid
    if cpu.cached[key, default: []].insert(page).inserted { cpu.walks += 1 }
  }

  // MARK: Switches

  func switchTo(_ next: Space, _ number: Int) {
    let cpu = cpus[number]
    let wasLazy = cpu.isLazy
    cpu.isLazy = false
    if cpu.loaded === next {
      if wasLazy, cpu.slots[cpu.asid]?.generation != next.generation {
        load(next, cpu.asid, true, cpu)
      }
      return
    }
    if rules.maskClearing == .atSwitch { cpu.loaded.mask.remove(number) }
    if !next.isKernel { next.mask.insert(number) }
    if let slot = cpu.slots.first(where: { $0.value.space === next }) {
      load(next, slot.key, slot.value.generation < next.generation, cpu)
    } else {
      let asid = cpu.next % 6
      cpu.next = asid + 1
      load(next, asid, true, cpu)
    }
  }

  private func load(_ space: Space, _ asid: Int, _ flushes: Bool, _ cpu: CPU) {
    if flushes {
      cpu.slots[asid] = (space, space.generation)
      cpu.cached[asid] = []
    }
    cpu.note(.taskSwitch, flushes ? -1 : 0)
    cpu.loaded = space
    cpu.asid = asid
  }

  // MARK: Flushes

  struct Request {
    var space: Space?
    /// nil for all.
    var pages: [UInt64]?
    var generation: Int
    var initiator: Int
    var freesTables = false
    var trims = false
  }

  /// The request and the CPUs that get it.
  func send(_ space: Space, _ pages: [UInt64]?, _ freesTables: Bool, _ initiator: Int)
    -> (Request, [Int])
  {
    space.generation += 1
    let pages = (pages?.count ?? 0) > 33 ? nil : pages
    var request = Request(
      space: space, pages: pages, generation: space.generation, initiator: initiator,
      freesTables: freesTables)
    guard space.mask.contains(where: { $0 != initiator }) else {
      return (request, cpus[initiator].loaded === space ? [initiator] : [])
    }
    if rules.skipsOtherSpaces, time > space.nextTrim {
      space.nextTrim = time + FlushRules.trimNanoseconds
      request.trims = true
    }
    return (request, multicast(request, space.mask))
  }

  func sendBatch(_ mask: Set<Int>, _ initiator: Int) -> (Request, [Int]) {
    let request = Request(generation: 0, initiator: initiator)
    guard mask.contains(where: { $0 != initiator }) else {
      return (request, mask.contains(initiator) ? [initiator] : [])
    }
    return (request, multicast(request, mask))
  }

  private func multicast(_ request: Request, _ mask: Set<Int>) -> [Int] {
    cpus[request.initiator].note(.remoteSendIPI, request.pages?.count ?? -1)
    return mask.sorted().filter { number in
      let cpu = cpus[number]
      if request.freesTables { return true }
      if cpu.isLazy { return false }
      if !rules.skipsOtherSpaces || request.space == nil { return true }
      return cpu.loaded === request.space || request.trims
    }
  }

  func deliver(_ request: Request, _ number: Int) {
    let cpu = cpus[number]
    let isLocal = number == request.initiator
    if !isLocal { cpu.row += 1 }
    if !isLocal, let space = request.space, space !== cpu.loaded {
      if rules.maskClearing == .byInterrupt {
        space.mask.remove(number)
        cpu.note(.remoteWrongCPU, 0)
      }
      return
    }
    if cpu.loaded.isKernel { return }
    if cpu.isLazy { return switchTo(kernel, number) }
    guard let slot = cpu.slots[cpu.asid] else { return }
    if request.generation != 0, request.generation <= slot.generation { return }
    let reason: FlushReason =
      !isLocal ? .remoteShootdown : request.space == nil ? .localShootdown : .localMMShootdown
    if slot.generation == cpu.loaded.generation { return cpu.note(reason, 0) }
    if let pages = request.pages, request.generation == slot.generation + 1,
      request.generation == cpu.loaded.generation
    {
      cpu.cached[cpu.asid]?.subtract(pages)
      cpu.cached[nil]?.subtract(pages)
      cpu.note(reason, pages.count)
    } else {
      cpu.cached[cpu.asid] = []
      cpu.note(reason, -1)
    }
    cpu.slots[cpu.asid] = (cpu.loaded, cpu.loaded.generation)
  }

  func flushKernel(_ pages: [UInt64]) {
    for cpu in cpus {
      if pages.count > 33 {
        cpu.cached = [:]
      } else {
        cpu.cached[nil]?.subtract(pages)
        cpu.cached[cpu.asid]?.subtract(pages)
      }
    }
  }
}
