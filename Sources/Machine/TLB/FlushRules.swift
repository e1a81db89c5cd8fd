/// What differs between kernels in how they flush TLBs of other CPUs (x86 Linux, `arch/x86/mm/tlb.c`).
public struct FlushRules: Hashable, Sendable {
  /// When a CPU leaves the mask of an address space (`mm_cpumask`).
  public enum MaskClearing: Hashable, Sendable {
    /// When it switches to another one: up to 6.13.
    case atSwitch
    /// When an interrupt finds another one loaded: since 6.14 (commit 209954cbc7d0).
    case byInterrupt
  }

  /// Which rules these are.
  public var name: String
  /// See ``MaskClearing``.
  public var maskClearing: MaskClearing
  /// Whether CPUs in the mask that run another address space are left out, but for once a second
  /// (`should_flush_tlb`, `trim_cpumask`).
  public var skipsOtherSpaces: Bool
  /// Whether address spaces that run on several CPUs are flushed by INVLPGB, without interrupts.
  public var broadcastsFlushes: Bool
  /// `tlb_single_page_flush_ceiling`: above so many strides, flush all.
  public var singlePageCeiling: UInt64 = 33
  /// `TLB_NR_DYN_ASIDS`.
  public static let dynamicASIDs = 6
  /// Jiffies between two interrupts that trim a mask, as time.
  public static let trimNanoseconds: UInt64 = 1_000_000_000
  /// An address space gets a global ASID only if it is active on more CPUs (6.15
  /// `consider_global_asid`).
  public static let broadcastActiveCPUs = 3
  /// Of so many shootdowns one asks for it: those with `(pid & 31) == (jiffies & 31)`.
  public static let broadcastConsiderations: UInt64 = 32

  /// Linux 6.1 to 6.13.
  public static let linux61 = FlushRules(
    name: "linux-6.1", maskClearing: .atSwitch, skipsOtherSpaces: false, broadcastsFlushes: false)
  /// Debian's 6.12 (6.12.117): clears at the switch and has the filter of 6.14.
  public static let debian612 = FlushRules(
    name: "debian-6.12", maskClearing: .atSwitch, skipsOtherSpaces: true, broadcastsFlushes: false)
  /// Linux 6.14.
  public static let linux614 = FlushRules(
    name: "linux-6.14", maskClearing: .byInterrupt, skipsOtherSpaces: true,
    broadcastsFlushes: false)
  /// Linux 6.15 on a machine with INVLPGB; on others it has the rules of 6.14.
  public static let linux615Broadcast = FlushRules(
    name: "linux-6.15-invlpgb", maskClearing: .byInterrupt, skipsOtherSpaces: true,
    broadcastsFlushes: true)

  /// All of them.
  public static let all = [linux61, debian612, linux614, linux615Broadcast]
}
