public import TraceEvents

/// A count for each class of access.
public struct ClassCounts: Hashable, Sendable {
  /// Of instruction fetches.
  public var fetch: UInt64
  /// Of loads.
  public var load: UInt64
  /// Of stores.
  public var store: UInt64

  /// Counts, zero by default.
  public init(fetch: UInt64 = 0, load: UInt64 = 0, store: UInt64 = 0) {
    self.fetch = fetch
    self.load = load
    self.store = store
  }

  /// All classes.
  public var total: UInt64 { fetch &+ load &+ store }

  /// The count of one class.
  public subscript(_ class: AccessClass) -> UInt64 {
    get {
      switch `class` {
      case .fetch: fetch
      case .load: load
      case .store: store
      }
    }
    set {
      switch `class` {
      case .fetch: fetch = newValue
      case .load: load = newValue
      case .store: store = newValue
      }
    }
  }

  /// Adds counts.
  public static func += (sum: inout ClassCounts, more: ClassCounts) {
    sum.fetch &+= more.fetch
    sum.load &+= more.load
    sum.store &+= more.store
  }
}

/// What the TLBs of a logical CPU did.
public struct TranslationCounts: Hashable, Sendable {
  /// Accesses seen.
  public var accesses = ClassCounts()
  /// Not found in the first level: looked up in the second.
  public var firstLevelMisses = ClassCounts()
  /// Completed page walks: found in neither level.
  ///
  /// What perf's `dTLB-load-misses`, `dTLB-store-misses` and `iTLB-load-misses` count on Intel since
  /// Skylake: `*.WALK_COMPLETED` (Linux 6.12 `arch/x86/events/intel/core.c`).
  public var walks = ClassCounts()
  /// Page-table entries that walks read, behind the paging-structure caches.
  public var walkReads: UInt64 = 0
  /// Translations that flushes took out, in any array.
  public var entriesDropped: UInt64 = 0

  /// Nothing yet.
  public init() {}

  /// Found in the second level.
  public var secondLevelHits: UInt64 { firstLevelMisses.total &- walks.total }

  /// Adds counts.
  public static func += (sum: inout TranslationCounts, more: TranslationCounts) {
    sum.accesses += more.accesses
    sum.firstLevelMisses += more.firstLevelMisses
    sum.walks += more.walks
    sum.walkReads &+= more.walkReads
    sum.entriesDropped &+= more.entriesDropped
  }

  // Counters lie in a row per logical CPU; these are the places of theirs.
  static let stride = 16
  static let firstLevelPlace = 4
  static let walkPlace = 8
  static let readPlace = 12
  static let dropPlace = 13

  init(_ row: ArraySlice<UInt64>) {
    let row = Array(row)
    func classes(_ place: Int) -> ClassCounts {
      ClassCounts(fetch: row[place], load: row[place + 1], store: row[place + 2])
    }
    accesses = classes(0)
    firstLevelMisses = classes(Self.firstLevelPlace)
    walks = classes(Self.walkPlace)
    walkReads = row[Self.readPlace]
    entriesDropped = row[Self.dropPlace]
  }
}
