internal import TraceEvents

extension LinuxTLBs {
  /// A CPU goes over to a program of `space` (`switch_mm_irqs_off`).
  public mutating func switchTo(_ space: AddressSpace, cpu: Int) {
    guard isCPU(cpu), spaces.indices.contains(space.index) else { return }
    let next = space.index
    let wasLazy = states[cpu].isLazy
    states[cpu].isLazy = false
    if states[cpu].loaded == next {
      reenter(next, wasLazy, cpu)
      return
    }
    // The kernel's own is never flushed by interrupt and so has no mask.
    if states[cpu].loaded != 0, rules.maskClearing == .atSwitch {
      setMask(states[cpu].loaded, cpu, to: false)
    }
    if next != 0 { setMask(next, cpu, to: true) }
    if let asid = spaces[next].globalASID {
      load(next, asid, flushes: false, cpu)
      return
    }
    let choice = chooseASID(next, cpu)
    load(next, choice.asid, flushes: choice.isBehind, cpu)
  }

  /// A CPU goes over to a kernel thread or idles, and keeps its address space loaded
  /// (`enter_lazy_tlb`).
  public mutating func enterLazy(cpu: Int) {
    guard isCPU(cpu), states[cpu].loaded != 0 else { return }
    states[cpu].isLazy = true
  }

  /// Back from lazy mode, or to another thread of the same program.
  private mutating func reenter(_ space: Int, _ wasLazy: Bool, _ cpu: Int) {
    let asid = states[cpu].asid
    guard wasLazy, asid < Self.slots,
      slotTable[cpu * Self.slots + asid].generation != spaces[space].generation
    else { return }
    load(space, asid, flushes: true, cpu)
  }

  /// The slot of an address space, else the next one in turn (`choose_new_asid`).
  mutating func chooseASID(_ space: Int, _ cpu: Int) -> (asid: Int, isBehind: Bool) {
    if states[cpu].forgetsOthers { forgetOtherSlots(cpu) }
    for asid in 0..<Self.slots where slotTable[cpu * Self.slots + asid].space == space {
      let isBehind =
        slotTable[cpu * Self.slots + asid].generation < spaces[space].generation
      return (asid, isBehind)
    }
    var asid = states[cpu].nextASID
    states[cpu].nextASID += 1
    if asid >= Self.slots {
      asid = 0
      states[cpu].nextASID = 1
    }
    return (asid, true)
  }

  /// Loads an address space, with a flush of its slot or without.
  mutating func load(_ space: Int, _ asid: Int, flushes: Bool, _ cpu: Int) {
    select(asid: asid, cpu)
    if flushes {
      slotTable[cpu * Self.slots + asid] = Slot(
        space: space, generation: spaces[space].generation)
      dropNonGlobal(cpu)
    }
    paths[cpu].note(.taskSwitch, flushes ? .all : .none)
    states[cpu].loaded = space
    states[cpu].asid = asid
  }

  private mutating func forgetOtherSlots(_ cpu: Int) {
    for asid in 0..<Self.slots where asid != states[cpu].asid {
      slotTable[cpu * Self.slots + asid].space = -1
    }
    states[cpu].forgetsOthers = false
  }

  // MARK: Masks

  mutating func setMask(_ space: Int, _ cpu: Int, to isIn: Bool) {
    let bit = UInt64(1) << UInt64(cpu % 64)
    let word = space * maskWords + cpu / 64
    if isIn { masks[word] |= bit } else { masks[word] &= ~bit }
  }

  /// Whether the mask that begins at `start` has another CPU than `cpu`.
  static func hasOther(_ masks: [UInt64], _ start: Int, _ words: Int, than cpu: Int) -> Bool {
    for word in 0..<words {
      var bits = masks[start + word]
      if cpu / 64 == word { bits &= ~(1 << UInt64(cpu % 64)) }
      if bits != 0 { return true }
    }
    return false
  }
}
