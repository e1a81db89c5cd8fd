/// A machine as the model knows it: translation hardware with the source of every number.
public struct MachineModel: Hashable, Sendable {
  /// What `--machine` and files call it.
  public var name: String
  /// One line on it.
  public var summary: String
  /// Where its numbers come from as a whole; each has its own as well.
  public var source: String
  /// TLBs and paging-structure caches of a core.
  public var geometry: TLBGeometry
  /// Logical CPUs of a core.
  public var threadsPerCore: CountRange
  /// Walks that a core can have under way at once.
  public var pageWalkers: CountRange
  /// What a miss in the first level costs that hits in the second, in cycles of the core.
  public var secondLevelHitCycles: ParameterRange
  /// What a completed walk costs, in nanoseconds.
  public var walkNanoseconds: ParameterRange
  /// Whether Linux isolates its page tables by default, so that no kernel translation is global:
  /// `X86_BUG_CPU_MELTDOWN` (Linux 6.12 `arch/x86/kernel/cpu/common.c`, `arch/x86/mm/pti.c`).
  public var isPageTableIsolated: Bool
  /// Whether it has INVLPGB, with which Linux since 6.15 flushes other CPUs without interrupts.
  public var hasBroadcastFlush: Bool
  /// What the numbers leave open.
  public var notes: [String] = []

  /// A machine of which nothing is known but what holds for all: the start of a user's own.
  public static func unknown(name: String) -> MachineModel {
    MachineModel(
      name: name, summary: "", source: "",
      geometry: TLBGeometry(fetch: [], load: [], second: [], pagingStructures: paging),
      threadsPerCore: twoThreads,
      pageWalkers: CountRange(1, upper: 6, source: "assumed", confidence: .low),
      secondLevelHitCycles: assumedHit, walkNanoseconds: walk,
      isPageTableIsolated: false, hasBroadcastFlush: false)
  }

  /// The same machine under another name.
  func named(_ name: String, _ summary: String) -> MachineModel {
    var model = self
    model.name = name
    model.summary = summary
    return model
  }

  /// 2 logical CPUs in a core.
  static let twoThreads = CountRange(
    2, lower: 1, source: "makers' data sheets; 1 with SMT off", confidence: .high)

  /// Paging-structure caches: no maker publishes theirs.
  static let paging: [TLBArray] = [(32, 8), (8, 4), (4, 4), (2, 2)].map { entries, ways in
    TLBArray(
      entries, ways: ways, [],
      source: "ChampSim's default walker (pscl2 4 x 8, pscl3 2 x 4, pscl4 1 x 4, pscl5 1 x 2)",
      confidence: .low)
  }

  /// A walk with its table entries in L2 or L3 up to one read of local DRAM.
  static let walk = ParameterRange(
    40, lower: 20, upper: 100,
    source: "from latencies: 15 to 40 ns with entries in L2 or L3, about 100 ns in local DRAM",
    confidence: .low)

  /// The penalty of a second-level hit where only that of Golden Cove is known.
  static let assumedHit = ParameterRange(
    8, lower: 7, upper: 9, source: "assumed as on Golden Cove", confidence: .low)
}
