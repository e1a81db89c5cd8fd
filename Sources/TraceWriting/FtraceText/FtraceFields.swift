import TraceEvents

/// The part of a line behind its time: the event's name and fields as the kernel prints them.
struct FtraceFields {
  /// Events that can be printed.
  static let kinds: [EventKind] = [
    .tlbFlush, .migratePages, .migratePagesStart, .setMigrationPTE, .removeMigrationPTE, .pageAlloc,
    .pageFree, .pageFreeBatched, .pagePCPDrain, .pageFaultUser, .csdQueueCPU, .csdFunctionEntry,
    .csdFunctionExit, .ipiSendCPU, .callFunctionEntry, .callFunctionExit, .callFunctionSingleEntry,
    .callFunctionSingleExit, .schedSwitch, .sysEnterMunmap, .sysEnterMprotect, .sysEnterMadvise,
    .sysExitMunmap, .sysExitMprotect, .sysExitMadvise, .print,
  ]

  private var symbols: [(address: UInt64, size: UInt64, name: [UInt8])]
  private var texts: [[UInt8]]
  private var others: [[UInt8]] = []
  /// By kind: whether the kernel's own form is known.
  private let isKernelForm: [Bool]
  /// By kind: what stands before the value of each word, for all others.
  private let keys: [[[UInt8]]]
  private let eventNames: [[UInt8]]
  private let migrationModes: [[UInt8]]
  private let migrationReasons: [[UInt8]]

  init(_ names: TraceNames, cpus: Int) {
    symbols = names.symbols.map { ($0.address, $0.size, Array($0.name.utf8)) }
    texts = names.texts.map(Self.text)
    isKernelForm = EventKind.allCases.map { Self.kinds.contains($0) }
    keys = EventKind.allCases.map { kind in
      Tracepoint.of(kind).fields.map { Array("\($0.name)=".utf8) }
    }
    eventNames = EventKind.allCases.map { Array("\(Tracepoint.of($0).name): ".utf8) }
    migrationModes = ["MIGRATE_ASYNC", "MIGRATE_SYNC_LIGHT", "MIGRATE_SYNC"].map { Array($0.utf8) }
    migrationReasons = [
      "compaction", "memory_failure", "memory_hotplug", "syscall_or_cpuset", "mempolicy_mbind",
      "numa_misplaced", "contig_range", "longterm_pin", "demotion", "damon",
    ].map { Array($0.utf8) }
  }

  mutating func addTexts(_ texts: [String]) { self.texts += texts.map(Self.text) }

  mutating func addOthers(_ names: [String]) {
    others += names.map { Array($0.utf8.prefix(200)) }
  }

  mutating func addSymbols(_ symbols: [KernelSymbol]) {
    self.symbols += symbols.map { ($0.address, $0.size, Array($0.name.utf8)) }
  }

  /// At most 1000 bytes, on one line.
  private static func text(_ text: String) -> [UInt8] {
    text.utf8.prefix(1000).map { $0 == 0x0a || $0 == 0x0d ? 0x20 : $0 }
  }

  func append(_ row: TraceRow, to lines: inout LineBuffer) {
    if row.other > 0 {
      if Int(row.other) <= others.count { lines.append(others[Int(row.other) - 1]) }
      lines.append(": ")
      return
    }
    guard isKernelForm[Int(row.kind.rawValue)], isComplete(row) else {
      return appendByName(row, &lines)
    }
    switch row.kind {
    case .sysEnterMunmap: syscall(row, "munmap", ["addr", "len"], &lines)
    case .sysEnterMprotect: syscall(row, "mprotect", ["start", "len", "prot"], &lines)
    case .sysEnterMadvise: syscall(row, "madvise", ["start", "len_in", "behavior"], &lines)
    case .sysExitMunmap: result(row, "munmap", &lines)
    case .sysExitMprotect: result(row, "mprotect", &lines)
    case .sysExitMadvise: result(row, "madvise", &lines)
    case .print:
      lines.append("tracing_mark_write: ")
      text(row.words[PrintMark.text], &lines)
    default:
      lines.append(eventNames[Int(row.kind.rawValue)])
      payload(row, &lines)
    }
  }

  /// Whether every field was recorded that the kernel would print; a task's state is made up as R.
  private func isComplete(_ row: TraceRow) -> Bool {
    let count = keys[Int(row.kind.rawValue)].count
    for slot in 0..<count where row.words[slot] == EventBatch.absent {
      if row.kind == .schedSwitch, slot == SchedSwitch.previousState { continue }
      if row.kind == .pageFreeBatched { continue }
      return false
    }
    return true
  }

  /// `pfn=0x1f i_ino=1a2b order=0`: fields that were recorded, by name.
  private func appendByName(_ row: TraceRow, _ lines: inout LineBuffer) {
    lines.append(eventNames[Int(row.kind.rawValue)])
    switch row.kind {
    case .kernelStack, .userStack: return lines.append("<stack trace>")
    case .rawSysEnter, .rawSysExit: return rawSyscall(row, &lines)
    default: break
    }
    let fields = Tracepoint.of(row.kind).fields
    var isFirst = true
    for slot in fields.indices where row.words[slot] != EventBatch.absent {
      if !isFirst { lines.append(" ") }
      isFirst = false
      lines.append(keys[Int(row.kind.rawValue)][slot])
      value(row.words[slot], fields[slot].form, &lines)
    }
  }

  private func value(_ word: UInt64, _ form: FieldForm, _ lines: inout LineBuffer) {
    switch form {
    case .integer, .symbolic: lines.append(signed: Int64(bitPattern: word))
    case .hexadecimal, .flags: hexadecimal(word, &lines)
    case .function: function(word, withOffset: false, &lines)
    case .text: text(word, &lines)
    case .cpuMask:
      // Linux 6.12 kernel/trace/trace_output.c prints bitmaps with %*pb: groups of 32 bits.
      lines.append(hexadecimal: word >> 32, width: 8)
      lines.append(",")
      lines.append(hexadecimal: word & 0xffff_ffff, width: 8)
    }
  }

  /// Linux 6.12 `include/trace/events/syscalls.h`.
  private func rawSyscall(_ row: TraceRow, _ lines: inout LineBuffer) {
    lines.append("NR ")
    lines.append(signed: Int64(bitPattern: row.words[0]))
    if row.kind == .rawSysExit {
      lines.append(" = ")
      return lines.append(signed: Int64(bitPattern: row.words[1]))
    }
    for slot in 1...6 {
      lines.append(slot == 1 ? " (" : ", ")
      lines.append(hexadecimal: row.words[slot])
    }
    lines.append(")")
  }

  private func payload(_ row: TraceRow, _ lines: inout LineBuffer) {
    switch row.kind {
    case .tlbFlush: flush(row, &lines)
    case .migratePages, .migratePagesStart: migration(row, &lines)
    case .setMigrationPTE, .removeMigrationPTE: entry(row, &lines)
    case .pageAlloc, .pageFree, .pageFreeBatched, .pagePCPDrain: page(row, &lines)
    case .csdQueueCPU, .csdFunctionEntry, .csdFunctionExit, .ipiSendCPU: call(row, &lines)
    case .schedSwitch: taskSwitch(row, &lines)
    case .pageFaultUser: fault(row, &lines)
    case .callFunctionEntry, .callFunctionExit, .callFunctionSingleEntry, .callFunctionSingleExit:
      lines.append("vector=")
      lines.append(decimal: row.words[IRQVector.vector])
    default: preconditionFailure("no text form for this event")
    }
  }

  private func flush(_ row: TraceRow, _ lines: inout LineBuffer) {
    lines.append("pages:")
    lines.append(signed: Int64(bitPattern: row.words[TLBFlush.pages]))
    lines.append(" reason:")
    // Linux 6.12 include/trace/events/tlb.h, TLB_FLUSH_REASON; without a name the kernel prints hex.
    switch row.words[TLBFlush.reason] {
    case 0: lines.append("flush on task switch")
    case 1: lines.append("remote shootdown")
    case 2: lines.append("local shootdown")
    case 3: lines.append("local mm shootdown")
    case 4: lines.append("remote ipi send")
    default: hexadecimal(row.words[TLBFlush.reason], &lines)
    }
    lines.append(" (")
    lines.append(decimal: row.words[TLBFlush.reason])
    lines.append(")")
  }

  private func migration(_ row: TraceRow, _ lines: inout LineBuffer) {
    if row.kind == .migratePages {
      let keys: [StaticString] = [
        "nr_succeeded=", " nr_failed=", " nr_thp_succeeded=", " nr_thp_failed=", " nr_thp_split=",
        " nr_split=",
      ]
      for (slot, key) in keys.enumerated() {
        lines.append(key)
        lines.append(decimal: row.words[slot])
      }
      lines.append(" ")
    }
    let mode = row.kind == .migratePages ? MigratePages.mode : MigratePagesStart.mode
    let reason = row.kind == .migratePages ? MigratePages.reason : MigratePagesStart.reason
    lines.append("mode=")
    symbolic(row.words[mode], migrationModes, &lines)
    lines.append(" reason=")
    symbolic(row.words[reason], migrationReasons, &lines)
  }

  private func entry(_ row: TraceRow, _ lines: inout LineBuffer) {
    lines.append("addr=")
    lines.append(hexadecimal: row.words[MigrationPTE.address])
    lines.append(", pte=")
    lines.append(hexadecimal: row.words[MigrationPTE.pte])
    lines.append(" order=")
    lines.append(signed: Int64(bitPattern: row.words[MigrationPTE.order]))
  }

  private func page(_ row: TraceRow, _ lines: inout LineBuffer) {
    lines.append("page=")
    pointer(row.words[PageFree.pfn] &* 64, &lines)
    lines.append(" pfn=")
    hexadecimal(row.words[PageFree.pfn], &lines)
    lines.append(" order=")
    lines.append(decimal: row.kind == .pageFreeBatched ? 0 : row.words[PageFree.order])
    switch row.kind {
    case .pageAlloc:
      lines.append(" migratetype=")
      lines.append(decimal: row.words[PageAlloc.migratetype])
      lines.append(" gfp_flags=")
      gfp(row.words[PageAlloc.gfpFlags], &lines)
    case .pagePCPDrain:
      lines.append(" migratetype=")
      lines.append(decimal: row.words[PageFree.migratetype])
    default: break
    }
  }

  /// Linux 6.12 `include/trace/events/mmflags.h`: the usual composites, anything else in hexadecimal.
  private func gfp(_ flags: UInt64, _ lines: inout LineBuffer) {
    switch flags {
    case 0: lines.append("none")
    case 0x100cca: lines.append("GFP_HIGHUSER_MOVABLE")
    case 0x140cca: lines.append("GFP_HIGHUSER_MOVABLE|__GFP_COMP")
    case 0xcc0: lines.append("GFP_KERNEL")
    case 0x400cc0: lines.append("GFP_KERNEL_ACCOUNT")
    case 0x100dca: lines.append("GFP_HIGHUSER_MOVABLE|__GFP_ZERO")
    default: hexadecimal(flags, &lines)
    }
  }

  private func call(_ row: TraceRow, _ lines: inout LineBuffer) {
    switch row.kind {
    case .csdQueueCPU:
      lines.append("cpu=")
      lines.append(decimal: row.words[CSDQueue.cpu])
      lines.append(" callsite=")
      function(row.words[CSDQueue.callsite], withOffset: true, &lines)
      lines.append(" func=")
      function(row.words[CSDQueue.function], withOffset: false, &lines)
      lines.append(" csd=")
      pointer(row.words[CSDQueue.csd], &lines)
    case .ipiSendCPU:
      lines.append("cpu=")
      lines.append(decimal: row.words[IPISend.target])
      lines.append(" callsite=")
      function(row.words[IPISend.callsite], withOffset: true, &lines)
      lines.append(" callback=")
      function(row.words[IPISend.callback], withOffset: true, &lines)
    default:
      lines.append("func=")
      function(row.words[CSDFunction.function], withOffset: false, &lines)
      lines.append(", csd=")
      pointer(row.words[CSDFunction.csd], &lines)
    }
  }

  private func taskSwitch(_ row: TraceRow, _ lines: inout LineBuffer) {
    lines.append("prev_comm=")
    text(row.words[SchedSwitch.previousName], &lines)
    lines.append(" prev_pid=")
    lines.append(decimal: row.words[SchedSwitch.previousTask])
    lines.append(" prev_prio=120 prev_state=")
    // Linux 6.12 include/trace/events/sched.h: the lowest bit names the state.
    let state = row.words[SchedSwitch.previousState]
    let letters: StaticString = "RSDTtXZPI"
    let index = state & 0xff == 0 ? 0 : min(8, state.trailingZeroBitCount + 1)
    lines.append(letters.utf8Start[index])
    if state & 0x100 != 0 { lines.append("+") }
    lines.append(" ==> next_comm=")
    text(row.words[SchedSwitch.nextName], &lines)
    lines.append(" next_pid=")
    lines.append(decimal: row.words[SchedSwitch.nextTask])
    lines.append(" next_prio=120")
  }

  private func fault(_ row: TraceRow, _ lines: inout LineBuffer) {
    lines.append("address=")
    hexadecimal(row.words[PageFault.address], &lines)
    lines.append(" ip=")
    hexadecimal(row.words[PageFault.ip], &lines)
    lines.append(" error_code=")
    hexadecimal(row.words[PageFault.errorCode], &lines)
  }

  private func syscall(
    _ row: TraceRow, _ name: StaticString, _ keys: [StaticString], _ lines: inout LineBuffer
  ) {
    lines.append("sys_")
    lines.append(name)
    for (slot, key) in keys.enumerated() {
      lines.append(slot == 0 ? "(" : ", ")
      lines.append(key)
      lines.append(": ")
      // Linux 6.12 kernel/trace/trace_syscalls.c, print_syscall_enter: %lx without 0x.
      lines.append(hexadecimal: row.words[slot])
    }
    lines.append(")")
  }

  private func result(_ row: TraceRow, _ name: StaticString, _ lines: inout LineBuffer) {
    lines.append("sys_")
    lines.append(name)
    lines.append(" -> ")
    hexadecimal(row.words[SyscallExit.result], &lines)
  }

  // MARK: Words

  private func hexadecimal(_ word: UInt64, _ lines: inout LineBuffer) {
    lines.append("0x")
    lines.append(hexadecimal: word)
  }

  /// A hashed pointer: 16 digits, the upper half zero; null is told apart.
  private func pointer(_ word: UInt64, _ lines: inout LineBuffer) {
    if word == 0 { return lines.append("0000000000000000") }
    lines.append(hexadecimal: (word &* 0x9e37_79b9_7f4a_7c15) >> 32 | 1, width: 16)
  }

  private func symbolic(_ word: UInt64, _ names: [[UInt8]], _ lines: inout LineBuffer) {
    if word < names.count {
      lines.append(names[Int(word)])
    } else {
      hexadecimal(word, &lines)
    }
  }

  private func text(_ index: UInt64, _ lines: inout LineBuffer) {
    if index < texts.count { lines.append(texts[Int(index)]) }
  }

  /// `%ps`, or with the offset `%pS`.
  private func function(_ word: UInt64, withOffset: Bool, _ lines: inout LineBuffer) {
    if word == FunctionName.flushTLBFunction {
      lines.append("flush_tlb_func")
      return
    }
    for symbol in symbols where word >= symbol.address && word - symbol.address < symbol.size {
      lines.append(symbol.name)
      if withOffset {
        lines.append("+")
        hexadecimal(word - symbol.address, &lines)
        lines.append("/")
        hexadecimal(symbol.size, &lines)
      }
      return
    }
    hexadecimal(word, &lines)
  }
}
