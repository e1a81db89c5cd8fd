internal import TraceEvents

extension LinuxTLBs {
  // MARK: Address spaces

  /// Flushes pages of an address space on every CPU that may hold them (`flush_tlb_mm_range`).
  public mutating func flush(
    _ space: AddressSpace, _ range: FlushRange, freesTables: Bool = false, initiator: Int
  ) {
    guard let request = raise(space, range, freesTables, initiator) else { return }
    let start = space.index * maskWords
    if Self.hasOther(masks, start, maskWords, than: initiator) {
      noteSend(request)
      for word in 0..<maskWords { deliver(request, masks[start + word], word) }
      considerBroadcast(space.index)
    } else if states[initiator].loaded == space.index {
      deliver(request, to: initiator)
    }
  }

  /// The same up to the interrupts: the request and the CPUs that will get it, the initiator among
  /// them where it flushes its own. Between them and ``deliver(_:to:)`` other things may happen.
  public mutating func send(
    _ space: AddressSpace, _ range: FlushRange, freesTables: Bool = false, initiator: Int
  ) -> (request: FlushRequest, cpus: [Int])? {
    guard let request = raise(space, range, freesTables, initiator) else { return nil }
    let start = space.index * maskWords
    guard Self.hasOther(masks, start, maskWords, than: initiator) else {
      return (request, states[initiator].loaded == space.index ? [initiator] : [])
    }
    noteSend(request)
    let found = (0..<cpus).filter { mask(of: space, contains: $0) && gets($0, request) }
    considerBroadcast(space.index)
    return (request, found)
  }

  /// Raises the generation; nil where nothing is to be sent, as the flush was broadcast.
  private mutating func raise(
    _ space: AddressSpace, _ range: FlushRange, _ freesTables: Bool, _ initiator: Int
  ) -> FlushRequest? {
    guard isCPU(initiator), spaces.indices.contains(space.index), space.index != 0 else {
      return nil
    }
    let range = range.count > rules.singlePageCeiling ? .all : range
    spaces[space.index].generation &+= 1
    if let asid = spaces[space.index].globalASID {
      broadcast(range, asid)
      return nil
    }
    var request = FlushRequest(
      space: space, range: range, generation: spaces[space.index].generation, initiator: initiator)
    request.freesTables = freesTables
    let isShared = Self.hasOther(masks, space.index * maskWords, maskWords, than: initiator)
    if rules.skipsOtherSpaces, isShared, time > spaces[space.index].nextTrim {
      spaces[space.index].nextTrim = time &+ FlushRules.trimNanoseconds
      request.trims = true
    }
    return request
  }

  // MARK: Batches

  /// Notes that reclaim or migration has unmapped a page, whose flush waits
  /// (`arch_tlbbatch_add_pending`).
  public mutating func unmap(page: UInt64, of space: AddressSpace, into batch: inout UnmapBatch) {
    guard spaces.indices.contains(space.index), space.index != 0 else { return }
    spaces[space.index].generation &+= 1
    if let asid = spaces[space.index].globalASID {
      broadcast(FlushRange(firstPage: page, count: 1), asid)
      return
    }
    if batch.mask.count < maskWords {
      batch.mask += Array(repeating: 0, count: maskWords - batch.mask.count)
    }
    for word in 0..<maskWords { batch.mask[word] |= masks[space.index * maskWords + word] }
  }

  /// Flushes the CPUs of a batch, whatever they run (`arch_tlbbatch_flush`), and empties it.
  public mutating func flush(_ batch: inout UnmapBatch, initiator: Int) {
    guard isCPU(initiator), batch.mask.count >= maskWords else { return }
    let request = FlushRequest(space: nil, range: .all, generation: 0, initiator: initiator)
    if Self.hasOther(batch.mask, 0, maskWords, than: initiator) {
      noteSend(request)
      for word in 0..<maskWords { deliver(request, batch.mask[word], word) }
    } else if batch.mask[initiator / 64] >> UInt64(initiator % 64) & 1 != 0 {
      deliver(request, to: initiator)
    }
    for word in 0..<maskWords { batch.mask[word] = 0 }
  }

  // MARK: The kernel's pages

  /// Flushes pages of the kernel on all CPUs (`flush_tlb_kernel_range`): neither event nor TLB row.
  public mutating func flushKernel(_ range: FlushRange) {
    for cpu in 0..<cpus { flushKernel(range, cpu: cpu) }
  }

  /// The share of one CPU in a flush of the kernel's pages.
  public mutating func flushKernel(_ range: FlushRange, cpu: Int) {
    guard isCPU(cpu) else { return }
    if range.isAll || range.count > rules.singlePageCeiling {
      dropAll(cpu)
    } else {
      drop(range, cpu)
      // Other address spaces have their own copies then (`flush_tlb_one_kernel`).
      if !isKernelGlobal, range.count > 0 { states[cpu].forgetsOthers = true }
    }
  }

  // MARK: Receiving

  /// A CPU does what it is asked to (`flush_tlb_func`).
  public mutating func deliver(_ request: FlushRequest, to cpu: Int) {
    guard isCPU(cpu) else { return }
    let isLocal = cpu == request.initiator
    let loaded = states[cpu].loaded
    if !isLocal {
      paths[cpu].row &+= 1
      if let space = request.space, space.index != loaded {
        refuse(space.index, cpu)
        return
      }
    }
    if states[cpu].isLazy, loaded != 0 {
      switchTo(.kernel, cpu: cpu)
      return
    }
    let asid = states[cpu].asid
    guard loaded != 0, asid < Self.slots else {
      if !isLocal { paths[cpu].silent &+= 1 }
      return
    }
    let place = cpu * Self.slots + asid
    let reached = slotTable[place].generation
    if request.generation != 0, request.generation <= reached {
      if !isLocal { paths[cpu].silent &+= 1 }
      return
    }
    let generation = spaces[loaded].generation
    let pages: FlushPathCounts.Pages
    if reached == generation {
      pages = .none
    } else if !request.range.isAll, request.generation == reached &+ 1,
      request.generation == generation
    {
      drop(request.range, cpu)
      pages = request.range.count == 0 ? .none : .some
    } else {
      dropNonGlobal(cpu)
      pages = .all
    }
    slotTable[place].generation = generation
    let localReason: FlushReason = request.space == nil ? .localShootdown : .localMMShootdown
    paths[cpu].note(isLocal ? localReason : .remoteShootdown, pages)
  }

  /// An interrupt for an address space that the CPU does not run.
  private mutating func refuse(_ space: Int, _ cpu: Int) {
    switch rules.maskClearing {
    case .atSwitch: paths[cpu].silent &+= 1
    case .byInterrupt:
      setMask(space, cpu, to: false)
      paths[cpu].note(.remoteWrongCPU, .none)
    }
  }

  /// Delivers to the CPUs of one word of a mask.
  private mutating func deliver(_ request: FlushRequest, _ mask: UInt64, _ word: Int) {
    var rest = mask
    while rest != 0 {
      let cpu = word * 64 + rest.trailingZeroBitCount
      rest &= rest &- 1
      if gets(cpu, request) { deliver(request, to: cpu) }
    }
  }

  /// Whether a CPU of the mask is asked: lazy ones look for themselves when they come back.
  private func gets(_ cpu: Int, _ request: FlushRequest) -> Bool {
    if request.freesTables { return true }
    if states[cpu].isLazy { return false }
    guard rules.skipsOtherSpaces, let space = request.space else { return true }
    return states[cpu].loaded == space.index || request.trims
  }

  /// The event of the sender, which comes before it is known whether anyone is interrupted.
  private mutating func noteSend(_ request: FlushRequest) {
    let pages: FlushPathCounts.Pages =
      request.range.isAll ? .all : request.range.count == 0 ? .none : .some
    paths[request.initiator].note(.remoteSendIPI, pages)
  }

  // MARK: Broadcast

  /// Flushes an ASID of all CPUs by INVLPGB (6.15 `broadcast_tlb_flush`): no interrupt, no event.
  private mutating func broadcast(_ range: FlushRange, _ asid: Int) {
    for cpu in 0..<cpus {
      if range.isAll { dropNonGlobal(cpu, asid: asid) } else { drop(range, asid: asid, cpu) }
    }
  }

  /// After some shootdowns, an address space that runs on many CPUs gets an ASID that is the same on
  /// all. CPUs that have it loaded take it at once; the kernel lets them at their next flush.
  private mutating func considerBroadcast(_ space: Int) {
    guard rules.broadcastsFlushes, spaces[space].globalASID == nil else { return }
    spaces[space].shootdowns &+= 1
    let active = (0..<cpus).count { states[$0].loaded == space && !states[$0].isLazy }
    guard spaces[space].shootdowns % FlushRules.broadcastConsiderations == 0,
      active > FlushRules.broadcastActiveCPUs, nextGlobalASID < 2048
    else { return }
    let asid = nextGlobalASID
    nextGlobalASID += 1
    spaces[space].globalASID = asid
    for cpu in 0..<cpus where states[cpu].loaded == space {
      states[cpu].asid = asid
      select(asid: asid, cpu)
    }
  }
}
