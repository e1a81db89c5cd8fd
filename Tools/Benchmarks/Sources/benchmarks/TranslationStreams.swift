import Glibc
import Machine
import TraceEvents

/// Random accesses over 64 Ki pages, through the TLBs of Sapphire Rapids.
struct TranslationStreams {
  /// Pages of the whole stream.
  private static let pages = 1 << 16

  struct Stream {
    let name: String
    /// Pages that nine of ten accesses go to; 0 for none.
    let hotPages: Int
    /// Accesses between two flushes; 0 for none.
    let flushGap: Int
    let goal: String
  }

  static let streams = [
    Stream(
      name: "TLB: 90 % in 64 pages", hotPages: 64, flushGap: 0, goal: "goal 20 M accesses/s"),
    Stream(
      name: "TLB: 90 % in 1,024 pages", hotPages: 1024, flushGap: 0, goal: "goal 20 M accesses/s"),
    Stream(
      name: "TLB: 90 % in 6,554 pages", hotPages: 6554, flushGap: 0, goal: "goal 20 M accesses/s"),
    Stream(name: "TLB: random", hotPages: 0, flushGap: 0, goal: "goal 8 M accesses/s"),
    Stream(
      name: "TLB: 90 % in 1,024 pages, a flush every 300", hotPages: 1024, flushGap: 300,
      goal: "goal 8 M accesses/s"),
    Stream(
      name: "TLB: random, a flush every 30", hotPages: 0, flushGap: 30,
      goal: "goal 8 M accesses/s"),
  ]

  private let accesses: [PageAccess]
  private let geometry: TLBGeometry
  private let flushGap: Int

  init(_ stream: Stream, count: Int, seed: UInt64) throws {
    guard let machine = MachineCatalog.machine(named: MachineCatalog.defaultName) else {
      throw BenchmarkError("the default machine is missing")
    }
    geometry = machine.geometry
    flushGap = stream.flushGap
    var random = SplitMix64(seed: seed)
    var made: [PageAccess] = []
    made.reserveCapacity(count)
    for _ in 0..<count {
      let draw = random.next()
      let isHot = stream.hotPages > 0 && draw >> 8 & 0xff_ffff < 15_099_494
      let page = random.next() % UInt64(isHot ? stream.hotPages : Self.pages)
      // Half are loads, a quarter stores, a quarter fetches.
      let kind: AccessClass = draw & 3 < 2 ? .load : draw & 3 == 2 ? .store : .fetch
      made.append(PageAccess(page: 0x400 + page, class: kind))
    }
    accesses = made
  }

  /// CPU seconds of one run, and what it counted.
  func run() -> (seconds: Double, counts: TranslationCounts) {
    var tlb = TranslationBuffers(geometry)
    let start = Self.cpuSeconds()
    accesses.withUnsafeBufferPointer { all in
      guard flushGap > 0 else { return tlb.access(all) }
      var next = 0
      while next < all.count {
        let end = min(next + flushGap, all.count)
        tlb.access(UnsafeBufferPointer(rebasing: all[next..<end]))
        tlb.flushNonGlobal()
        next = end
      }
    }
    return (Self.cpuSeconds() - start, tlb.counts)
  }

  private static func cpuSeconds() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
  }
}
