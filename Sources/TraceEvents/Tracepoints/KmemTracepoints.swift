/// Payload slots of `kmem:mm_page_alloc`.
public enum PageAlloc {
  /// First frame; -1 in a record and 0 in text when the allocation failed.
  public static let pfn = 0
  /// The block is 2^order pages.
  public static let order = 1
  /// `gfp_t` as recorded. Bits move between kernels; text names are mapped to Linux 6.12's bits.
  public static let gfpFlags = 2
  /// `enum migratetype`.
  public static let migratetype = 3
}

/// Payload slots of `mm_page_free`, `mm_page_free_batched`, `mm_page_pcpu_drain` and
/// `mm_page_alloc_zone_locked`, as far as each has them.
public enum PageFree {
  /// First frame.
  public static let pfn = 0
  /// The block is 2^order pages (`mm_page_free_batched` has no such field: always one page).
  public static let order = 1
  /// `enum migratetype`, where recorded.
  public static let migratetype = 2
  /// Of `mm_page_alloc_zone_locked`: 1 when a per-CPU list is refilled.
  public static let percpuRefill = 3
}

/// Payload slots of `kmem:rss_stat`.
public enum RSSStat {
  /// Hash of the mm pointer: the cheap identity of an mm in a trace.
  public static let mmID = 0
  /// 1 if it is the current task's mm.
  public static let current = 1
  /// Which counter: 0 file, 1 anon, 2 swap entries, 3 shmem.
  public static let member = 2
  /// Its new value, bytes.
  public static let size = 3
}

extension Tracepoint {
  /// Linux 6.12 `include/linux/gfp_types.h` bit numbers (with CONFIG_KASAN_HW_TAGS and LOCKDEP off)
  /// and the composites that `include/trace/events/mmflags.h` prints by name.
  static let gfpNames: [String: UInt64] = {
    let dma: UInt64 = 0x01
    let highmem: UInt64 = 0x02
    let dma32: UInt64 = 0x04
    let movable: UInt64 = 0x08
    let high: UInt64 = 0x20
    let io: UInt64 = 0x40
    let fs: UInt64 = 0x80
    let zero: UInt64 = 0x100
    let directReclaim: UInt64 = 0x400
    let kswapdReclaim: UInt64 = 0x800
    let write: UInt64 = 0x1000
    let noWarn: UInt64 = 0x2000
    let noMemalloc: UInt64 = 0x80000
    let hardwall: UInt64 = 0x100000
    let account: UInt64 = 0x400000
    let reclaim = directReclaim | kswapdReclaim
    let user = reclaim | io | fs | hardwall
    let transhugeLight =
      ((user | highmem) | movable | 0x40000 | noMemalloc | noWarn) & ~reclaim
    return [
      "__GFP_DMA": dma, "__GFP_HIGHMEM": highmem, "__GFP_DMA32": dma32, "__GFP_MOVABLE": movable,
      "__GFP_RECLAIMABLE": 0x10, "__GFP_HIGH": high, "__GFP_IO": io, "__GFP_FS": fs,
      "__GFP_ZERO": zero, "__GFP_DIRECT_RECLAIM": directReclaim,
      "__GFP_KSWAPD_RECLAIM": kswapdReclaim, "__GFP_RECLAIM": reclaim, "__GFP_WRITE": write,
      "__GFP_NOWARN": noWarn, "__GFP_RETRY_MAYFAIL": 0x4000, "__GFP_NOFAIL": 0x8000,
      "__GFP_NORETRY": 0x10000, "__GFP_MEMALLOC": 0x20000, "__GFP_COMP": 0x40000,
      "__GFP_NOMEMALLOC": noMemalloc, "__GFP_HARDWALL": hardwall, "__GFP_THISNODE": 0x200000,
      "__GFP_ACCOUNT": account, "__GFP_ZEROTAGS": 0x800000,
      "GFP_ATOMIC": high | kswapdReclaim, "GFP_KERNEL": reclaim | io | fs,
      "GFP_KERNEL_ACCOUNT": reclaim | io | fs | account, "GFP_NOWAIT": kswapdReclaim | noWarn,
      "GFP_NOIO": reclaim, "GFP_NOFS": reclaim | io, "GFP_USER": user, "GFP_DMA": dma,
      "GFP_DMA32": dma32, "GFP_HIGHUSER": user | highmem,
      "GFP_HIGHUSER_MOVABLE": user | highmem | movable, "GFP_TRANSHUGE_LIGHT": transhugeLight,
      "GFP_TRANSHUGE": transhugeLight | directReclaim, "none": 0,
    ]
  }()

  private static let pfn = TracepointField("pfn")
  private static let order = TracepointField("order")
  private static let migratetype = TracepointField("migratetype")

  /// Linux 6.12 `include/trace/events/kmem.h`.
  static let kmem = [
    Tracepoint(
      .pageAlloc, "kmem", "mm_page_alloc",
      [pfn, order, TracepointField("gfp_flags", .flags(names: gfpNames)), migratetype]),
    Tracepoint(
      .pageFree, "kmem", "mm_page_free", formerNames: ["mm_page_free_direct"], [pfn, order]),
    Tracepoint(
      .pageFreeBatched, "kmem", "mm_page_free_batched", formerNames: ["mm_pagevec_free"],
      [pfn, order]),
    Tracepoint(.pagePCPDrain, "kmem", "mm_page_pcpu_drain", [pfn, order, migratetype]),
    Tracepoint(
      .pageAllocZoneLocked, "kmem", "mm_page_alloc_zone_locked",
      [pfn, order, migratetype, TracepointField("percpu_refill")]),
    Tracepoint(
      .pageAllocExtfrag, "kmem", "mm_page_alloc_extfrag",
      [pfn, TracepointField("alloc_order"), TracepointField("fallback_order")]),
    Tracepoint(
      .rssStat, "kmem", "rss_stat",
      [
        TracepointField("mm_id"), TracepointField("curr"),
        TracepointField(
          "member",
          .symbolic(names: [
            "MM_FILEPAGES": 0, "MM_ANONPAGES": 1, "MM_SWAPENTS": 2, "MM_SHMEMPAGES": 3,
          ]),
          aliases: ["type"]),
        TracepointField("size"),
      ]),
  ]
}
