import TraceEvents

/// What the `csd` events say about each function that CPUs ask each other to run.
///
/// `csd_function_entry` with a non-NULL csd is an interrupt's work on its receiver; with a NULL csd
/// the initiator runs the function itself, which `/proc/interrupts` does not count.
public struct CSDFunctionTable: Sendable {
  /// Functions told apart; a kernel has a few dozen that pass through here.
  static let functionsMax = 512

  /// One function.
  public struct Entry: Sendable {
    /// Its word: an address, or an encoded name.
    public let function: UInt64
    /// Runs that an interrupt brought, by the CPU that ran it.
    public fileprivate(set) var remoteRuns: [UInt64] = []
    /// Runs on the initiator itself, by CPU.
    public fileprivate(set) var localRuns: [UInt64] = []
    /// Requests queued, by target CPU.
    public fileprivate(set) var queuedTo: [UInt64] = []
    /// `tlb_flush` events of reason 1 that came while it ran: only `flush_tlb_func` emits those.
    public fileprivate(set) var remoteFlushes: UInt64 = 0
    /// Runs in dialects without a CPU column.
    public fileprivate(set) var remoteRunsWithoutCPU: UInt64 = 0
  }

  /// Functions in the order in which they were first seen.
  public private(set) var entries: [Entry] = []
  private var running: [UInt16] = []
  private static let nothing = UInt16.max

  /// No functions.
  public init() {}

  /// The entry of `flush_tlb_func`: the word that the trace's symbols give, else the function during
  /// whose runs the receivers' flush events came. `isInferred` tells which.
  public func flush(known: UInt64?) -> (entry: Entry, isInferred: Bool)? {
    if let known, let entry = entries.first(where: { $0.function == known }) {
      return (entry, false)
    }
    guard let best = entries.max(by: { $0.remoteFlushes < $1.remoteFlushes }),
      best.remoteFlushes > 0
    else { return nil }
    return (best, true)
  }

  mutating func run(_ function: UInt64, cpu: UInt16, isRemote: Bool) {
    guard let index = index(of: function) else { return }
    if cpu == EventBatch.unknownCPU {
      if isRemote { entries[index].remoteRunsWithoutCPU += 1 }
      return
    }
    if isRemote {
      Self.count(&entries[index].remoteRuns, Int(cpu))
    } else {
      Self.count(&entries[index].localRuns, Int(cpu))
    }
    while running.count <= Int(cpu) { running.append(Self.nothing) }
    running[Int(cpu)] = isRemote ? UInt16(index) : Self.nothing
  }

  mutating func end(cpu: UInt16) {
    if Int(cpu) < running.count { running[Int(cpu)] = Self.nothing }
  }

  mutating func queue(_ function: UInt64, to target: UInt64) {
    guard target < 8192, let index = index(of: function) else { return }
    Self.count(&entries[index].queuedTo, Int(target))
  }

  @inline(__always)
  mutating func sawRemoteFlush(cpu: UInt16) {
    guard Int(cpu) < running.count, running[Int(cpu)] != Self.nothing else { return }
    entries[Int(running[Int(cpu)])].remoteFlushes += 1
    // One flush a run: the next must come from another run, or it is no evidence.
    running[Int(cpu)] = Self.nothing
  }

  private mutating func index(of function: UInt64) -> Int? {
    if let known = entries.firstIndex(where: { $0.function == function }) { return known }
    guard entries.count < Self.functionsMax else { return nil }
    entries.append(Entry(function: function))
    return entries.count - 1
  }

  private static func count(_ table: inout [UInt64], _ cpu: Int) {
    while table.count <= cpu { table.append(0) }
    table[cpu] += 1
  }
}
