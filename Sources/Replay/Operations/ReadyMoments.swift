/// Which moments of frames a replay looks at.
enum FrameVisits: Int, CaseIterable {
  /// All.
  case all
  /// Of the frames of one batch the first allocation and the first refill, and the next ones only as
  /// long as it asks for them: with the first most replays are done with a batch.
  case first
  /// And the first allocation behind a drain.
  case firstAfterDrain
}

/// Whether a moment is the allocation of a frame, and whether that could wait; or a drain.
enum ReadyAllocation: UInt8 {
  case none, mayWait, cannotWait, drain
}

/// Allocations of frames of one batch that a replay need not look at one by one.
struct AllocationsAhead {
  /// All but the last one of the span.
  var count: UInt16 = 0
  /// Of these, those that cannot wait.
  var cannotWait: UInt16 = 0
  /// Offset of the last one in the span, 0 where there is none.
  var last: UInt16 = 0
}

/// The moments of one span, by offset, that a replay looks at: a bit for each.
struct Visits {
  /// Place of the span's first moment among those that are ready.
  private(set) var start: Int
  private(set) var words: [UInt64]
  private(set) var frames: FrameVisits
  private let count: Int

  init(start: Int, count: Int, _ frames: FrameVisits = .all) {
    self.start = start
    self.count = count
    self.frames = frames
    words = Array(repeating: 0, count: (count + 63) / 64)
  }

  /// Place behind the span's last moment.
  var end: Int { start + count }

  /// The moments at these places, of `count`.
  init(_ positions: [Int], of count: Int) {
    self.init(start: 0, count: count)
    for position in positions { insert(position) }
  }

  /// Calls `body` with what is left to visit.
  @inline(__always)
  mutating func withWords(_ body: (VisitWords) -> Void) {
    let start = start
    words.withUnsafeMutableBufferPointer { body(VisitWords(start: start, words: $0)) }
  }

  mutating func insert(_ offset: Int) { words[offset >> 6] |= 1 << UInt64(offset & 63) }
}

/// What is left of ``Visits`` while they are made.
struct VisitWords {
  /// See ``Visits``.
  let start: Int
  fileprivate let words: UnsafeMutableBufferPointer<UInt64>

  fileprivate init(start: Int, words: UnsafeMutableBufferPointer<UInt64>) {
    self.start = start
    self.words = words
  }

  var indices: Range<Int> { words.indices }

  /// Takes out the first of a word; its offset.
  @inline(__always)
  func takeFirst(in word: Int) -> Int? {
    let bits = words[word]
    guard bits != 0 else { return nil }
    words[word] = bits & (bits - 1)
    return word << 6 | bits.trailingZeroBitCount
  }

  /// One more to look at, behind those that were taken out; nil is none.
  @inline(__always)
  func insert(_ offset: Int?) {
    if let offset { words[offset >> 6] |= 1 << UInt64(offset & 63) }
  }

  /// One more to look at, behind those that were taken out; 0 is none.
  @inline(__always)
  func add(_ offset: Int) {
    if offset != 0 { words[offset >> 6] |= 1 << UInt64(offset & 63) }
  }
}

/// Moments of some kinds of one span, for ``ReadyMoments/next(_:of:from:)``.
struct Chances: ~Copyable {
  fileprivate let words: [UInt64]
  /// Where the span's CPUs begin.
  fileprivate let cpuWords: Int
}

/// What replays ask of a moment before they look at it: small, as each asks it of many.
private struct ReadyFacts {
  /// `UInt32.max` where it is not of frames.
  var batch = UInt32.max
  var cpu: UInt16 = 0
  var next: UInt16 = 0
  var ahead = AllocationsAhead()
  /// A ``ReadyAllocation``.
  var allocation: UInt8 = 0
}

/// What is known of a batch while a span is indexed.
private struct ReadyBatch {
  /// Offsets, from 1, of its last allocation and its last refill so far.
  var last: UInt32 = 0
  var lastRefill: UInt32 = 0
  /// Of the allocations behind the one at hand.
  var ahead = AllocationsAhead()
  /// 1 behind a drain until the next allocation.
  var isDrained: UInt8 = 0
}

/// Kinds of moment as the index tells them apart: 1 for a yes, 0 for a no, as whether a moment is of a
/// kind cannot be predicted.
private struct ReadyKinds {
  private let ofFrames = MomentKindSet.ofFrames
  private let allocations = MomentKindSet([.frameAllocated, .unmappedFrameAllocated])
  private let refills = MomentKindSet([.frameRefilled])
  private let drains = MomentKindSet([.frameDrained])
  private let flushes = MomentKindSet([.shootdown, .mmShootdown])

  @inline(__always)
  func isOfFrames(_ kind: Moment.Kind) -> UInt32 { ofFrames.bit(kind) }
  @inline(__always)
  func isAllocation(_ kind: Moment.Kind) -> UInt32 { allocations.bit(kind) }
  @inline(__always)
  func isRefill(_ kind: Moment.Kind) -> UInt32 { refills.bit(kind) }
  @inline(__always)
  func isDrain(_ kind: Moment.Kind) -> UInt32 { drains.bit(kind) }
  /// A number stands for another batch from there on.
  @inline(__always)
  func isFlush(_ kind: Moment.Kind) -> UInt32 { flushes.bit(kind) }

  /// See ``ReadyAllocation``.
  @inline(__always)
  func allocation(_ moment: Moment) -> UInt8 {
    let cannotWait: UInt32 = AtomicAllocations.cannotSleep(moment) ? 1 : 0
    let isAllocation = isAllocation(moment.kind)
    return UInt8(
      truncatingIfNeeded: isAllocation &+ isAllocation & cannotWait &+ 3 &* isDrain(moment.kind))
  }
}

/// What all replays ask of the moments that are ready before they look at them, close together.
struct ReadyMoments {
  /// Moments that one replay goes through before the next: enough that what it touches comes again
  /// while it is in the cache, and their offsets take 16 bits.
  static let span = 1 << 16
  static let noBatch = Int(UInt32.max)

  /// By span, then kind: a bit for each of the span's moments. The kinds come once for each of
  /// ``FrameVisits``, with the moments that it lets through.
  private var bits: [UInt64] = []
  private static let kinds = Moment.Kind.allCases.count
  private static let wordsOfKind = span / 64
  private static let wordsOfVisits = wordsOfKind * kinds
  private static let wordsOfSpan = wordsOfVisits * FrameVisits.allCases.count
  /// By span, then CPU: a bit for each of the span's moments that is the CPU's; only if `cpuCount` is
  /// not 0.
  private var cpuBits: [UInt64] = []
  /// CPUs whose moments are told apart for ``Chances``.
  var cpuCount = 0
  private var facts: [ReadyFacts] = []
  private var batches: [ReadyBatch] = []

  /// Place of the last moment that everybody may be told of; nil without any.
  private(set) var last: Int?

  /// The batch that a moment of frames is about; ``noBatch`` for others.
  func batch(_ position: Int) -> Int {
    position < facts.count ? Int(facts[position].batch) : Self.noBatch
  }

  func cpu(_ position: Int) -> Int { Int(facts[position].cpu) }

  /// Whether it is an allocation or a drain.
  func allocation(_ position: Int) -> ReadyAllocation {
    ReadyAllocation(rawValue: facts[position].allocation) ?? .none
  }

  /// Offset in its span of the next allocation, of a refill the next refill, of the same batch; 0
  /// none.
  func next(_ position: Int) -> Int { Int(facts[position].next) }

  /// Allocations of the same batch that follow in the span.
  func allocationsAhead(_ position: Int) -> AllocationsAhead { facts[position].ahead }

  /// The moments of `kinds` in `range`, a span or part of one, that `frames` lets through.
  func visits(_ wanted: MomentKindSet, in range: Range<Int>, _ frames: FrameVisits) -> Visits {
    var visits = Visits(start: range.lowerBound, count: range.count, frames)
    let first =
      range.lowerBound / Self.span * Self.wordsOfSpan + frames.rawValue * Self.wordsOfVisits
    for kind in Moment.Kind.allCases where wanted.contains(kind) {
      visits.add(bits, from: first + Int(kind.rawValue) * Self.wordsOfKind)
    }
    return visits
  }

  /// Where CPUs have moments of `kinds` in `range`, a span or part of one.
  func chances(_ kinds: MomentKindSet, in range: Range<Int>) -> Chances {
    Chances(
      words: visits(kinds, in: range, .all).words,
      cpuWords: range.lowerBound / Self.span * cpuCount * Self.wordsOfKind)
  }

  /// Offset of a CPU's first chance from `offset` on; nil without.
  func next(_ chances: borrowing Chances, of cpu: Int, from offset: Int) -> Int? {
    let first = chances.cpuWords + cpu * Self.wordsOfKind
    var word = offset >> 6
    guard cpu < cpuCount, word < chances.words.count else { return nil }
    var bits = chances.words[word] & cpuBits[first + word] & (.max << UInt64(offset & 63))
    while bits == 0 {
      word += 1
      guard word < chances.words.count else { return nil }
      bits = chances.words[word] & cpuBits[first + word]
    }
    return word << 6 | bits.trailingZeroBitCount
  }

  /// Looks through the first `count` of `moments`, those that are ready; what is later than `end` nobody
  /// is told.
  mutating func index(_ moments: [Moment], _ count: Int, until end: UInt64, batchCount: Int) {
    let spans = (count + Self.span - 1) / Self.span
    last = nil
    facts.removeAll(keepingCapacity: true)
    // And one that nobody asks for.
    facts.append(contentsOf: repeatElement(ReadyFacts(), count: count + 1))
    bits.removeAll(keepingCapacity: true)
    bits.append(contentsOf: repeatElement(0, count: spans * Self.wordsOfSpan))
    cpuBits.removeAll(keepingCapacity: true)
    cpuBits.append(contentsOf: repeatElement(0, count: spans * cpuCount * Self.wordsOfKind))
    batches.removeAll(keepingCapacity: true)
    batches.append(contentsOf: repeatElement(ReadyBatch(), count: batchCount))
    for span in 0..<spans {
      let start = span * Self.span
      index(moments, start..<min(start + Self.span, count), until: end, span)
    }
  }

  private mutating func index(
    _ moments: [Moment], _ range: Range<Int>, until end: UInt64, _ span: Int
  ) {
    let visits = span * Self.wordsOfSpan
    let cpuWords = span * cpuCount * Self.wordsOfKind
    let cpuCount = cpuCount
    let kinds = ReadyKinds()
    let always = MomentKindSet.always
    var last = last
    // One check of each array, and not one for each of several stores a moment.
    batches.withUnsafeMutableBufferPointer { batches in
      facts.withUnsafeMutableBufferPointer { facts in
        bits.withUnsafeMutableBufferPointer { bits in
          cpuBits.withUnsafeMutableBufferPointer { cpuBits in
            for number in batches.indices { batches[number] = ReadyBatch() }
            for position in range {
              let moment = moments[position]
              facts[position].batch = moment.batch | (kinds.isOfFrames(moment.kind) &- 1)
              facts[position].cpu = moment.cpu
              guard moment.time <= end else { continue }
              facts[position].allocation = kinds.allocation(moment)
              last = always.contains(moment.kind) ? position : last
              let isFirst = Self.follow(moment, position, range.lowerBound, kinds, batches, facts)
              let offset = position - range.lowerBound
              let place = offset >> 6
              let shift = UInt64(offset & 63)
              let word = visits + Int(moment.kind.rawValue) * Self.wordsOfKind + place
              bits[word] |= 1 << shift
              bits[word + Self.wordsOfVisits] |= isFirst.ofSpan << shift
              bits[word + 2 * Self.wordsOfVisits] |= isFirst.behindDrain << shift
              if Int(moment.cpu) < cpuCount {
                cpuBits[cpuWords + Int(moment.cpu) * Self.wordsOfKind + place] |= 1 << shift
              }
            }
          }
        }
      }
    }
    self.last = last
    lookAhead(moments, range, kinds)
  }

  /// Whether a moment is the first of its batch's in the span, or the first behind a drain, 1 or 0; any
  /// that is no allocation or refill counts as one.
  @inline(__always)
  private static func follow(
    _ moment: Moment, _ position: Int, _ start: Int, _ kinds: ReadyKinds,
    _ batches: UnsafeMutableBufferPointer<ReadyBatch>,
    _ facts: UnsafeMutableBufferPointer<ReadyFacts>
  ) -> (ofSpan: UInt64, behindDrain: UInt64) {
    let isAllocation = kinds.isAllocation(moment.kind)
    let isRefill = kinds.isRefill(moment.kind)
    let isDrain = kinds.isDrain(moment.kind)
    let isFlush = kinds.isFlush(moment.kind)
    // Of other kinds it is 0, of which nothing is ever noted.
    let number = Int(moment.batch & (0 &- (isAllocation | isRefill | isDrain | isFlush)))
    var batch = batches[number]
    let last = isRefill != 0 ? batch.lastRefill : batch.last
    let hasNext = (isAllocation | isRefill) & (last != 0 ? 1 : 0)
    // Without a branch: where there is no such moment, into the fact that nobody asks for.
    facts[hasNext != 0 ? start + Int(last) - 1 : facts.count - 1].next = UInt16(
      truncatingIfNeeded: position - start)
    let place = UInt32(truncatingIfNeeded: position - start) + 1
    batch.last = isAllocation != 0 ? place : batch.last & (isFlush &- 1)
    batch.lastRefill = isRefill != 0 ? place : batch.lastRefill & (isFlush &- 1)
    let wasDrained = UInt32(batch.isDrained)
    batch.isDrained = UInt8(truncatingIfNeeded: isDrain | wasDrained & ~isAllocation)
    batches[number] = batch
    return (UInt64(hasNext ^ 1), UInt64(hasNext ^ 1 | isAllocation & wasDrained))
  }

  private mutating func lookAhead(_ moments: [Moment], _ range: Range<Int>, _ kinds: ReadyKinds) {
    batches.withUnsafeMutableBufferPointer { batches in
      facts.withUnsafeMutableBufferPointer { facts in
        for position in range.reversed() {
          let kind = moments[position].kind
          let allocation = facts[position].allocation
          // What is later than the window is none.
          let isAllocation = kinds.isAllocation(kind) & (allocation != 0 ? 1 : 0)
          let isFlush = kinds.isFlush(kind)
          let number = Int(moments[position].batch & (0 &- (isAllocation | isFlush)))
          let ahead = batches[number].ahead
          let offset = UInt16(truncatingIfNeeded: position - range.lowerBound)
          let hasLast: UInt16 = ahead.last != 0 ? 1 : 0
          let cannotWait: UInt16 = allocation == ReadyAllocation.cannotWait.rawValue ? 1 : 0
          let isOne = UInt16(truncatingIfNeeded: 0 &- isAllocation)
          facts[position].ahead = AllocationsAhead(
            count: ahead.count & isOne, cannotWait: ahead.cannotWait & isOne,
            last: ahead.last & isOne)
          // Behind a flush nothing, before an allocation one more.
          batches[number].ahead = AllocationsAhead(
            count: (ahead.count &+ hasLast) & isOne,
            cannotWait: (ahead.cannotWait &+ hasLast & cannotWait) & isOne,
            last: (hasLast != 0 ? ahead.last : offset) & isOne)
        }
      }
    }
  }
}

extension Visits {
  /// Sets the bits that are set in `bits` from word `first` on.
  fileprivate mutating func add(_ bits: [UInt64], from first: Int) {
    for word in words.indices { words[word] |= bits[first + word] }
  }
}
