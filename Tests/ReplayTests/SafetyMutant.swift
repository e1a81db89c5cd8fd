import Synchronization

@testable import Replay

/// Why the flush that a mutant left out would have been done.
final class Omission: Sendable {
  let fate = Mutex<DeferralFate?>(nil)
}

/// Policies that take another frame in the place of one that owes a flush: what the recorded run, and
/// TLBs simulated from it, hand out is then not what they hand out.
let policiesThatHoldFrames: Set<String> = ["latr", "latr-hz-1000"]

/// A policy that forgets one of its flushes and believes that it was done.
struct Mutant<Base: FlushPolicy>: FlushPolicy {
  var base: Base
  /// Which flush is left out, from 0.
  let dropped: Int
  let omission: Omission
  private var flushes = 0

  init(_ base: Base, dropping dropped: Int, _ omission: Omission) {
    self.base = base
    self.dropped = dropped
    self.omission = omission
  }

  private mutating func drop(_ actions: inout [FlushAction], from start: Int) {
    var position = start
    while position < actions.count {
      if case .flush(let mask, let fate, let times) = actions[position] {
        let numbers = flushes..<flushes + times
        flushes += times
        if numbers.contains(dropped) {
          omission.fate.withLock { $0 = fate }
          guard times > 1 else {
            actions.remove(at: position)
            continue
          }
          actions[position] = .flush(mask, fate, times: times - 1)
        }
      }
      position += 1
    }
  }

  static var followsTime: Bool { Base.followsTime }
  static var putsOffMMFlushes: Bool { Base.putsOffMMFlushes }
  static var asksForProcesses: Bool { Base.asksForProcesses }
  static var recyclesFrames: Bool { Base.recyclesFrames }
  var due: UInt64? { base.due }
  static var putsOffNoBatch: Bool { Base.putsOffNoBatch }
  static var asksForEveryAllocation: Bool { Base.asksForEveryAllocation }
  var forgetsInBuddy: Bool { base.forgetsInBuddy }
  static var followsDrains: Bool { Base.followsDrains }
  var mayActOnAny: Bool { base.mayActOnAny }
  func remembers(_ frame: Int) -> Bool { base.remembers(frame) }
  func mayAct(on cpu: Int) -> Bool { base.mayAct(on: cpu) }
  func isSpent(_ deferral: UInt32) -> Bool { base.isSpent(deferral) }
  var listens: MomentKindSet { base.listens }

  mutating func growTo(tasks: Int, frames: Int) { base.growTo(tasks: tasks, frames: frames) }

  mutating func batchFlush(
    _ shootdown: borrowing Shootdown, mayDefer: Bool, until end: UInt64, as deferral: UInt32,
    _ now: Situation, _ actions: inout [FlushAction]
  ) -> FlushDecision {
    let start = actions.count
    defer { drop(&actions, from: start) }
    return base.batchFlush(shootdown, mayDefer: mayDefer, until: end, as: deferral, now, &actions)
  }

  mutating func mmFlush(
    _ shootdown: borrowing Shootdown, as deferral: UInt32, _ now: Situation,
    _ actions: inout [FlushAction]
  ) -> FlushDecision {
    let start = actions.count
    defer { drop(&actions, from: start) }
    return base.mmFlush(shootdown, as: deferral, now, &actions)
  }

  mutating func allocated(
    with deferral: UInt32, _ passage: BuddyPassage, _ now: Situation,
    _ actions: inout [FlushAction]
  ) {
    let start = actions.count
    base.allocated(with: deferral, passage, now, &actions)
    drop(&actions, from: start)
  }

  mutating func drained(
    with deferral: UInt32, _ passage: BuddyPassage, _ now: Situation,
    _ actions: inout [FlushAction]
  ) {
    let start = actions.count
    base.drained(with: deferral, passage, now, &actions)
    drop(&actions, from: start)
  }

  mutating func refilled(
    with deferral: UInt32, _ passage: BuddyPassage, _ now: Situation,
    _ actions: inout [FlushAction]
  ) {
    let start = actions.count
    base.refilled(with: deferral, passage, now, &actions)
    drop(&actions, from: start)
  }

  mutating func timePassed(_ now: Situation, _ actions: inout [FlushAction]) {
    let start = actions.count
    base.timePassed(now, &actions)
    drop(&actions, from: start)
  }

  mutating func unmappedFreed(_ count: Int, with deferral: UInt32) {
    base.unmappedFreed(count, with: deferral)
  }

  mutating func unmappedAllocated(
    _ frame: Int, isMovable: Bool, with deferral: UInt32, _ now: Situation,
    _ actions: inout [FlushAction]
  ) {
    let start = actions.count
    base.unmappedAllocated(frame, isMovable: isMovable, with: deferral, now, &actions)
    drop(&actions, from: start)
  }

  mutating func other(
    _ moment: Moment, _ source: borrowing Reconstruction, _ now: Situation,
    _ actions: inout [FlushAction]
  ) {
    let start = actions.count
    base.other(moment, source, now, &actions)
    drop(&actions, from: start)
  }

  func isOwed(_ deferral: UInt32) -> Bool { base.isOwed(deferral) }

  mutating func assume(_ assumption: ReplayAssumption) { base.assume(assumption) }

  mutating func finish(_ actions: inout [FlushAction]) {
    let start = actions.count
    base.finish(&actions)
    drop(&actions, from: start)
  }
}

/// TLBs at their fullest, as sets: an unmap that is not flushed leaves its mark on every CPU of its
/// mask, and a flush of a CPU takes all marks from it. Frames are told apart by the mark of the
/// unmap that freed them. Nothing is shared with the oracle's own bookkeeping.
struct FullTLBs: SafetyCheck {
  var hearsFromTheStart: Bool { true }
  private var marks: [Set<Int>] = Array(repeating: [], count: 64)
  private var lazy = Set<Int>()
  private var unmaps = 0
  private var taskMarks: [UInt32: (batch: UInt32, mark: Int)] = [:]
  private var frameMarks: [UInt32: Int] = [:]
  private var findings = RuleFindings()

  var hears: SafetyNews { [.putOff, .batchFlushes, .mmFlushes, .flushes, .ownFlushes] }
  var momentsAlways: MomentKindSet {
    MomentKindSet([.frameFreed, .frameAllocated, .switchedMM, .lazyBegin, .lazyEnd])
  }

  mutating func shootdown(
    _ shootdown: borrowing Shootdown, leaving unmap: UInt32, _ moment: Moment,
    _ source: borrowing Reconstruction, _ stale: inout StaleTranslations
  ) {
    var reached = Set<Int>()
    shootdown.receivers.forEach { reached.insert($0) }
    if shootdown.isLocal { reached.insert(shootdown.initiator) }
    if unmap == 0 {
      for cpu in reached { marks[cpu] = [] }
    } else {
      unmaps += 1
      shootdown.lazyMembers.forEach { reached.insert($0) }
      for cpu in reached { marks[cpu].insert(unmaps) }
    }
    guard shootdown.batch != 0 else { return }
    taskMarks[shootdown.taskIndex] = unmap == 0 ? nil : (shootdown.batch, unmaps)
  }

  mutating func flushed(
    _ mask: CPUMask, _ fate: DeferralFate, times: Int, _ moment: Moment,
    _ stale: inout StaleTranslations
  ) { mask.forEach { marks[$0] = [] } }

  mutating func flushedItself(_ cpu: Int, _ moment: Moment, _ stale: inout StaleTranslations) {
    marks[cpu] = []
  }

  mutating func observe(
    _ moment: Moment, _ source: borrowing Reconstruction, _ stale: inout StaleTranslations
  ) {
    let cpu = Int(moment.cpu)
    switch moment.kind {
    case .lazyBegin: lazy.insert(cpu)
    case .lazyEnd:
      lazy.remove(cpu)
      marks[cpu] = []
    case .switchedMM: marks[cpu] = []
    case .frameFreed:
      let last = taskMarks[moment.task]
      frameMarks[moment.subject] = last?.batch == moment.batch ? last?.mark : nil
    case .frameAllocated:
      guard let mark = frameMarks.removeValue(forKey: moment.subject) else { return }
      findings.checked += 1
      if marks.indices.contains(where: { !lazy.contains($0) && marks[$0].contains(mark) }) {
        findings.violations += 1
      }
    default: break
    }
  }

  func verdicts(_ counts: SafetyCounts) -> [RuleVerdict] {
    [findings.verdict(.staleFrame, "TLBs")]
  }
}
