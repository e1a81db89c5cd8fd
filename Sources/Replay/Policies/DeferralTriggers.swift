/// Which moments end deferral under a version's rules.
struct DeferralTriggers {
  private let rules: LazyFlushRules
  /// Whether a fault in a mapping of which nothing is known counts as one that may be written.
  private let takesUnknownAsMayWrite: Bool
  /// Whether every write counts as one to the file of a deferred page.
  private let takesWritesAsHits: Bool
  /// Whether the flush of a frame that is held back, or skipped by an allocation that cannot wait, is
  /// done when the recorded run takes the frame, as if memory were so short then that it is needed;
  /// if not, another frame is taken.
  let takesHeldFrames: Bool

  init(_ rules: LazyFlushRules, _ assumption: ReplayAssumption) {
    self.rules = rules
    takesUnknownAsMayWrite = assumption == .onlyProven
    takesWritesAsHits = assumption == .onlyProven
    takesHeldFrames = assumption == .onlyProven || assumption == .expected
  }

  /// The moments that can end deferral.
  var kinds: MomentKindSet {
    var kinds: [Moment.Kind] = []
    if rules.flushesOnWriteProtectFault { kinds.append(.writeProtectFault) }
    if rules.flushesOnWritableMapping { kinds.append(.writableMapping) }
    if rules.flushesOnMayWriteFault { kinds.append(.userFault) }
    if rules.flushesOnUnmap { kinds.append(.unmapRange) }
    if rules.flushesOnFileWrite { kinds.append(.fileWriteEnd) }
    if rules.flushesOnTruncate { kinds.append(.pageCacheRemoved) }
    if rules.pausesUnderPressure {
      kinds += [.directReclaimBegin, .directReclaimEnd, .kswapdWakeup]
    }
    return MomentKindSet(kinds)
  }

  /// Why `moment` ends deferral; nil where it does not.
  @inline(__always)
  func fate(_ moment: Moment, _ source: borrowing Reconstruction) -> DeferralFate? {
    switch moment.kind {
    case .writeProtectFault: rules.flushesOnWriteProtectFault ? .permission : nil
    case .writableMapping: rules.flushesOnWritableMapping ? .permission : nil
    case .userFault:
      rules.flushesOnMayWriteFault && isMayWrite(source.userFaults[moment.subject])
        ? .permission : nil
    case .unmapRange:
      rules.flushesOnUnmap && source.addressRanges[moment.subject].isEnd ? .permission : nil
    case .fileWriteEnd:
      rules.flushesOnFileWrite && (!rules.flushesOnlyWrittenFile || takesWritesAsHits)
        ? .fileWrite : nil
    case .pageCacheRemoved: rules.flushesOnTruncate ? .fileWrite : nil
    case .directReclaimBegin, .kswapdWakeup: rules.pausesUnderPressure ? .pressure : nil
    default: nil
    }
  }

  @inline(__always)
  private func isMayWrite(_ fault: UserFault) -> Bool {
    fault.isWrite || fault.mayWrite.isYes || (takesUnknownAsMayWrite && fault.mayWrite == .unknown)
  }
}

/// Whether some allocation is in its slow path, which stops deferral in MIGRC v3 to v8.
struct PressurePause {
  private var isReclaiming: [Bool] = []
  private var tasks = 0

  /// Whether any task is in direct reclaim.
  var isOn: Bool { tasks > 0 }

  mutating func growTo(tasks count: Int) {
    while isReclaiming.count < count { isReclaiming.append(false) }
  }

  mutating func note(_ moment: Moment, _ task: Int) {
    switch moment.kind {
    case .directReclaimBegin where !isReclaiming[task]:
      isReclaiming[task] = true
      tasks += 1
    case .directReclaimEnd where isReclaiming[task]:
      isReclaiming[task] = false
      tasks -= 1
    default: break
    }
  }
}
