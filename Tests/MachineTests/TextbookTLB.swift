import Machine
import TraceEvents

/// TLBs as a textbook has them: sets of entries with the time of their last use. Slow and plain; the
/// twin of `TranslationBuffers`.
struct TextbookTLB {
  struct Space: Equatable {
    var thread: Int
    var pcid: UInt16
    var isGlobal: Bool
  }

  struct Entry {
    var number: UInt64
    var size: PageSize
    var space: Space
    var lastUse: Int
  }

  /// One array with what is in its sets.
  final class Cache {
    let array: TLBArray
    var sets: [[Entry]]

    init(_ array: TLBArray) {
      self.array = array
      sets = Array(repeating: [], count: array.entries.expected / array.ways.expected)
    }

    func set(_ number: UInt64) -> Int { Int(number % UInt64(sets.count)) }

    /// Takes entries out; how many.
    func remove(_ isGone: (Entry) -> Bool) -> UInt64 {
      let before = sets.reduce(0) { $0 + $1.count }
      for set in sets.indices { sets[set].removeAll(where: isGone) }
      return UInt64(before - sets.reduce(0) { $0 + $1.count })
    }
  }

  struct Thread {
    /// By class.
    var first: [[Cache]]
    var second: [[Cache]]
    var structures: [Cache]
    var pcid: UInt16 = 0
    var counts = TranslationCounts()
  }

  var threads: [Thread] = []
  let levels: Int
  let isKernelGlobal: Bool
  var time = 0

  init(_ geometry: TLBGeometry, threads count: Int, isKernelGlobal: Bool) {
    levels = geometry.pagingLevels
    self.isKernelGlobal = isKernelGlobal
    for number in 0..<count {
      func caches(_ arrays: [TLBArray]) -> [Cache] { arrays.map(Cache.init) }
      let load = caches(geometry.load)
      let second = caches(geometry.second)
      var thread = Thread(
        first: [
          caches(geometry.fetch), load, geometry.store.isEmpty ? load : caches(geometry.store),
        ],
        second: [
          geometry.secondFetch.isEmpty ? second : caches(geometry.secondFetch), second, second,
        ],
        structures: caches(Array(geometry.pagingStructures.prefix(geometry.pagingLevels - 1))))
      if number > 0, geometry.isFirstLevelShared { thread.first = threads[0].first }
      if number > 0, geometry.isSecondLevelShared {
        thread.second = threads[0].second
        thread.structures = threads[0].structures
      }
      threads.append(thread)
    }
  }

  // MARK: Accesses

  mutating func access(_ access: PageAccess, thread: Int, pages: PageMap) {
    time += 1
    let kind = Int(access.class.rawValue)
    let size = pages.size(of: access.page)
    let isKernel = access.page >> 51 & 1 == 1
    let own = Space(thread: thread, pcid: threads[thread].pcid, isGlobal: false)
    let space =
      isKernel && isKernelGlobal ? Space(thread: thread, pcid: 0, isGlobal: true) : own
    threads[thread].counts.accesses[access.class] += 1
    if use(threads[thread].first[kind], access.page, size, space) { return }
    threads[thread].counts.firstLevelMisses[access.class] += 1
    if use(threads[thread].second[kind], access.page, size, space) { return }
    threads[thread].counts.walks[access.class] += 1
    threads[thread].counts.walkReads += walk(thread, access.page, size, own)
  }

  /// Finds a page or puts it in; whether it was there.
  private func use(_ caches: [Cache], _ page: UInt64, _ size: PageSize, _ space: Space) -> Bool {
    let taken = PageSize.allCases.filter { kept in
      kept.rawValue <= size.rawValue && caches.contains { $0.array.sizes.contains(kept) }
    }
    guard let kept = taken.last else { return false }
    let number = page / UInt64(1 << kept.shift)
    let accepting = caches.filter { $0.array.sizes.contains(kept) }
    return use(accepting, Entry(number: number, size: kept, space: space, lastUse: time))
  }

  private func use(_ caches: [Cache], _ entry: Entry) -> Bool {
    for cache in caches {
      let set = cache.set(entry.number)
      let found = cache.sets[set].firstIndex {
        $0.number == entry.number && $0.size == entry.size && $0.space == entry.space
      }
      if let found {
        cache.sets[set][found].lastUse = entry.lastUse
        return true
      }
    }
    for cache in caches where cache.sets[cache.set(entry.number)].count < cache.array.ways.expected
    {
      cache.sets[cache.set(entry.number)].append(entry)
      return false
    }
    var oldest: (cache: Cache, way: Int, lastUse: Int)?
    for cache in caches {
      for (way, other) in cache.sets[cache.set(entry.number)].enumerated()
      where other.lastUse < oldest?.lastUse ?? .max {
        oldest = (cache, way, other.lastUse)
      }
    }
    if let oldest { oldest.cache.sets[oldest.cache.set(entry.number)][oldest.way] = entry }
    return false
  }

  /// Reads of page tables: one for each level from the top down to the page's own, less those that
  /// the lowest structure cache with an entry saves.
  private func walk(_ thread: Int, _ page: UInt64, _ size: PageSize, _ space: Space) -> UInt64 {
    let caches = threads[thread].structures
    for level in size.rawValue..<(levels - 1) where level < caches.count {
      let number = page / UInt64(1 << (9 * (level + 1)))
      let entry = Entry(number: number, size: .small, space: space, lastUse: time)
      if use([caches[level]], entry) { return UInt64(level + 1 - size.rawValue) }
    }
    return UInt64(levels - size.rawValue)
  }

  // MARK: Flushes

  mutating func select(_ pcid: UInt16, _ thread: Int) { threads[thread].pcid = pcid }

  mutating func flushNonGlobal(_ pcid: UInt16?, _ thread: Int) {
    let pcid = pcid ?? threads[thread].pcid
    remove(thread) { $0.space == Space(thread: thread, pcid: pcid, isGlobal: false) }
  }

  mutating func flushAllNonGlobal(_ thread: Int) {
    remove(thread) { $0.space.thread == thread && !$0.space.isGlobal }
  }

  mutating func flushAll(_ thread: Int) { remove(thread) { $0.space.thread == thread } }

  mutating func flush(_ page: UInt64, _ size: PageSize, _ thread: Int) {
    let own = Space(thread: thread, pcid: threads[thread].pcid, isGlobal: false)
    let global = Space(thread: thread, pcid: 0, isGlobal: true)
    let start = (page >> UInt64(size.shift)) << UInt64(size.shift)
    let end = start + (UInt64(1) << UInt64(size.shift))
    for cache in caches(thread) {
      threads[thread].counts.entriesDropped += cache.remove { entry in
        let first = entry.number << UInt64(entry.size.shift)
        let last = first + (UInt64(1) << UInt64(entry.size.shift))
        // The piece of a page, or an entry around the address.
        let isHit = first >= start && last <= end || first <= page && page < last
        return isHit && (entry.space == own || entry.space == global)
      }
    }
    for cache in threads[thread].structures { _ = cache.remove { $0.space == own } }
  }

  private mutating func remove(_ thread: Int, _ isGone: (Entry) -> Bool) {
    for cache in caches(thread) { threads[thread].counts.entriesDropped += cache.remove(isGone) }
    for cache in threads[thread].structures { _ = cache.remove(isGone) }
  }

  /// All that hold translations, once each.
  private func caches(_ thread: Int) -> [Cache] {
    var seen: [Cache] = []
    for cache in (threads[thread].first + threads[thread].second).joined()
    where !seen.contains(where: { $0 === cache }) {
      seen.append(cache)
    }
    return seen
  }
}
