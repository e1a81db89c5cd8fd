/// A CPU's own list of free frames of a zone, order 0 (Linux 6.12 `struct per_cpu_pages`).
///
/// Sizes follow `mm/page_alloc.c`: `zone_batchsize`, `zone_highsize`, `nr_pcp_alloc`, `nr_pcp_high`,
/// `nr_pcp_free`.
public struct PerCPUPages: Sendable {
  /// `CONFIG_PCP_BATCH_SCALE_MAX`.
  static let batchScaleMax = 5
  /// `MIN_PERCPU_PAGELIST_HIGH_FRACTION`: with tuning on, a list may grow to this part of its share.
  static let highFraction = 8

  /// The frames, newest first.
  var list = FrameList()
  private let batch: Int
  private let highMin: Int
  private let highMax: Int
  private var high: Int
  private var freeCount = 0
  private var allocFactor = 0

  /// The list of one of `cpusSharing` CPUs of a zone.
  init(managed: Int, lowWatermark: Int, cpusSharing: Int) {
    batch = Self.batchSize(managed: managed)
    let cpus = max(cpusSharing, 1)
    highMin = max(lowWatermark / cpus, batch << 2)
    highMax = max(managed / Self.highFraction / cpus, batch << 2)
    high = highMin
  }

  /// `zone_batchsize`: a tenth of a per cent of the zone or a MiB, a quarter of that, 2^n - 1.
  static func batchSize(managed: Int) -> Int {
    let quarter = max(min(managed >> 10, 256) / 4, 1)
    let wanted = quarter + quarter / 2
    var power = 1
    while power * 2 <= wanted { power *= 2 }
    return max(power - 1, 1)
  }

  /// Frames to move here now that it is empty, and `zone` is below its high mark or not.
  mutating func refillSize(isZoneBelowHigh: Bool) -> Int {
    high = min(max(high, highMin), highMax)
    guard high >= batch else { return 1 }
    var size = batch << allocFactor
    if highMin != highMax, !isZoneBelowHigh { high = min(high + size, highMax) }
    let sizeMax = max(high - list.count - batch, batch)
    if size <= sizeMax, allocFactor < Self.batchScaleMax { allocFactor += 1 }
    size = min(size, sizeMax)
    return size
  }

  /// A frame was taken.
  mutating func noteAllocation() { freeCount >>= 1 }

  /// A frame was put here; returns how many of the oldest have to leave for buddy.
  mutating func noteFree(isReclaimActive: Bool, isZoneBelowHigh: Bool) -> Int {
    allocFactor >>= 1
    if freeCount < batch << Self.batchScaleMax { freeCount += 1 }
    let limit = highNow(isReclaimActive, isZoneBelowHigh)
    guard list.count >= limit else { return 0 }
    guard limit >= batch else { return 1 }
    return min(max(min(freeCount, limit - batch), batch), list.count)
  }

  /// Once a second (`decay_pcp_high`): the list gets shorter while nothing needs it long. Returns how
  /// many of the oldest have to leave.
  mutating func decay() -> Int {
    if high > highMin {
      high = max(list.count - batch << Self.batchScaleMax, high - high >> 3, highMin)
    }
    return max(list.count - high, 0)
  }

  private mutating func highNow(_ isReclaimActive: Bool, _ isZoneBelowHigh: Bool) -> Int {
    high = min(max(high, highMin), highMax)
    let now = high
    let freed = max(freeCount, batch)
    if isReclaimActive {
      high = max(now - freed, highMin)
      return min(batch << 2, high)
    }
    if highMin == highMax { return now }
    if isZoneBelowHigh {
      high = max(now - freed, highMin)
      return max(list.count, highMin)
    }
    if list.count >= now {
      let needed = freeCount + batch
      if high < needed { high = min(max(needed, highMin), highMax) }
    }
    return now
  }
}
