import Foundation
import Testing
import TraceEvents
import TraceWriting

/// Lines as kernel 6.12 prints them: spellings taken from `Traces/formats/ft-a-one-default.txt`.
@Suite struct FtraceTextWriterTests {
  private func lines(_ rows: [TraceRow], lost: UInt64? = nil) throws -> [String] {
    let file = ScratchFile()
    var writer = try FtraceTextWriter.create(
      file.path, cpus: 4, events: UInt64(rows.count), names: SampleRows.names)
    if let lost { try writer.noteLost(lost, cpu: 3) }
    for row in rows { try writer.append(row) }
    try writer.finish()
    let text = String(decoding: try file.bytes(), as: UTF8.self)
    #expect(text.hasPrefix("# tracer: nop\n#\n# entries-in-buffer/entries-written: "))
    #expect(text.hasSuffix("\n"))
    return text.split(separator: "\n").filter { !$0.hasPrefix("#") }.map(String.init)
  }

  @Test func linesAreTheKernelsOwn() throws {
    var flush = TraceRow(.tlbFlush, cpu: 0, task: 77, time: 34_804_094_499, 3, UInt64.max)
    flush.flags = 1
    flush.preemptCount = 1
    var nested = TraceRow(
      .csdFunctionEntry, cpu: 3, task: 0, time: 34_805_175_500, FunctionName.flushTLBFunction, 0)
    nested.flags = 1 | 4 | 8 | 0x20
    nested.preemptCount = 0x21
    let rows = [
      flush, nested,
      TraceRow(.sysEnterMunmap, cpu: 1, task: 4321, time: 1_000_000, 0x7ff0_928c_3000, 0xc000),
      TraceRow(.sysExitMunmap, cpu: 1, task: 4321, time: 123_456_999_999_999, 0),
      TraceRow(
        .setMigrationPTE, cpu: 1, task: 99, time: 2_000, 0x7ff0_9427_8000, 0xf7f9_ffff_ff18_2802, 0),
      TraceRow(.pageAlloc, cpu: 1, task: 1, time: 3_000, 0x7bd6, 1, 0x40_0cc0, 0),
      TraceRow(.schedSwitch, cpu: 1, task: 1, time: 4_000, 1, 77, 1, 1, 0),
      TraceRow(
        .migratePages, cpu: 1, task: 1, time: 5_000, 6, 0, 0, 0, 0, 0, 2, 3),
      TraceRow(
        .csdQueueCPU, cpu: 1, task: 1, time: 6_000, 2, 0xffff_ffff_811a_0020,
        FunctionName.flushTLBFunction, 0),
      TraceRow(.print, cpu: 1, task: 1, time: 7_000, 2),
    ]
    let written = try lines(rows)
    let expected = [
      "     a b-c:1 [z]-77      [000] d..1.    34.804094: tlb_flush: pages:-1 reason:local mm shootdown (3)",
      "          <idle>-0       [003] dNh12    34.805176: csd_function_entry: func=flush_tlb_func, csd=0000000000000000",
      "     kworker/0:1-4321    [001] .....     0.001000: sys_munmap(addr: 7ff0928c3000, len: c000)",
      "     kworker/0:1-4321    [001] ..... 123457.000000: sys_munmap -> 0x0",
      "           <...>-99      [001] .....     0.000002: set_migration_pte: addr=7ff094278000, pte=f7f9ffffff182802 order=0",
      nil,
      "            init-1       [001] .....     0.000004: sched_switch: prev_comm=kworker/0:1 prev_pid=1 prev_prio=120 prev_state=S ==> next_comm=a b-c:1 [z] next_pid=77 next_prio=120",
      "            init-1       [001] .....     0.000005: mm_migrate_pages: nr_succeeded=6 nr_failed=0 nr_thp_succeeded=0 nr_thp_failed=0 nr_thp_split=0 nr_split=0 mode=MIGRATE_SYNC reason=syscall_or_cpuset",
      "            init-1       [001] .....     0.000006: csd_queue_cpu: cpu=2 callsite=on_each_cpu_cond_mask+0x20/0x60 func=flush_tlb_func csd=0000000000000000",
      "            init-1       [001] .....     0.000007: tracing_mark_write: mark",
    ]
    try #require(written.count == expected.count)
    for (line, wanted) in zip(written, expected) { if let wanted { #expect(line == wanted) } }
    let allocation = /.*: mm_page_alloc: page=00000000[0-9a-f]{8} pfn=0x7bd6 order=1 (.*)/
    let match = try #require(written[5].wholeMatch(of: allocation))
    #expect(match.1 == "migratetype=0 gfp_flags=GFP_KERNEL_ACCOUNT")
  }

  @Test func everyKindGivesOneLine() throws {
    let rows = SampleRows.rows(cpu: 1, perCPU: 5000, kinds: FtraceTextWriter.kinds)
    let written = try lines(rows, lost: 5)
    #expect(written.first == "CPU:3 [LOST 5 EVENTS]")
    #expect(written.count == rows.count + 1)
  }
}
