import Testing
import TraceEvents

@testable import TraceFiles

/// Payload words of hand-made lines: every spelling of a value that the dialects have.
@Suite struct TextPayloadTests {
  private func words(_ event: String, header: String = "# tracer: nop\n") throws -> [String] {
    let line = "              sh-181     [001] d....    34.801484: \(event)\n"
    let result = try TextResult(text: header + line)
    #expect(result.statistics.findings.isEmpty)
    return try #require(result.rows.first).words
  }

  private func perf(_ event: String) throws -> [String] {
    let result = try TextResult(text: "            perf  3069 [000]   138.700050:   \(event)\n")
    return try #require(result.rows.first).words
  }

  @Test(arguments: [
    "pages:-1 reason:remote ipi send (4)", "pages=-1 reason= (4)", "reason=4 pages=-1",
    "reason=0x4 (4) pages=0xffffffffffffffff (-1)", "pages:-1 reason: (4)",
    "pages:-1 reason:0x4 (4)", "pages:-1 reason:whatever comes next (4)",
  ])
  func flushReasonIsTheNumber(text: String) throws {
    #expect(try words("tlb_flush: " + text) == ["4", "-1"])
  }

  @Test func missingAndUnreadableFieldsAreAbsent() throws {
    #expect(try words("tlb_flush: pages:x reason:no number") == ["-", "-"])
    #expect(try words("mm_page_alloc: pfn=0x12g order=3") == ["-", "3", "-", "-"])
    #expect(
      try words("mm_page_alloc: pfn=0x11112222333344445 order=99999999999999999999")
        == ["-", "-", "-", "-"])
    #expect(
      try words("page_fault_kernel: address=init_task+0x10/0x20 ip=0x1 error_code=0x2")
        == ["-", "1", "2"])
  }

  @Test func frameNumbersAreDecimalOrHexadecimal() throws {
    #expect(try words("mm_page_free: page=000000001 pfn=123 order=1") == ["123", "1"])
    #expect(try words("mm_page_free: page=0x7b pfn=0x7b order=1") == ["123", "1"])
    #expect(try words("mm_page_free: pfn=18446744073709551615 order=0") == ["-1", "0"])
  }

  @Test func flagsAreTheirBits() throws {
    let alloc = "mm_page_alloc: page=0 pfn=0x1 order=0 migratetype=1 gfp_flags="
    #expect(
      try words(alloc + "GFP_HIGHUSER_MOVABLE|__GFP_COMP")[PageAlloc.gfpFlags] == "\(0x140cca)")
    #expect(try words(alloc + "0x140cca")[PageAlloc.gfpFlags] == "\(0x140cca)")
    #expect(try words(alloc + "GFP_NOWAIT")[PageAlloc.gfpFlags] == "\(0x2800)")
    #expect(try words(alloc + "none")[PageAlloc.gfpFlags] == "0")
    #expect(try words(alloc + "GFP_KERNEL|__GFP_NOT_INVENTED")[PageAlloc.gfpFlags] == "-")
    #expect(try words(alloc)[PageAlloc.gfpFlags] == "-")
    #expect(
      try words(
        "mm_vmscan_lru_shrink_inactive: nid=0 nr_scanned=67 nr_reclaimed=55 priority=6 "
          + "flags=RECLAIM_WB_FILE|RECLAIM_WB_ASYNC") == ["0", "67", "55", "10"])
  }

  @Test func folioLettersAreTheirBits() throws {
    #expect(
      try words("mm_lru_insertion: folio=0 pfn=0x1fdd2 lru=2 flags= f    ") == ["130514", "2", "4"])
    #expect(
      try words("mm_lru_insertion: folio=0 pfn=1 lru=0 flags=Masbd ") == ["1", "0", "\(0x3b)"])
    #expect(try words("mm_lru_insertion: pfn=1 lru=3 flags=0x45") == ["1", "3", "\(0x45)"])
  }

  @Test func pageCacheOffsetIsTheIndex() throws {
    let text = "mm_filemap_add_to_page_cache: dev 254:3 ino c pfn=0x1fdf0 ofs=346161152 order=2"
    let device = "\(254 << 20 | 3)"
    #expect(try words(text) == ["\(0x1fdf0)", "12", "\(346_161_152 >> 12)", device, "2"])
    let raw =
      "mm_filemap_add_to_page_cache: pfn=0x1fdf0 i_ino=0xc index=84512 s_dev=\(device) order=2"
    #expect(try words(raw) == ["\(0x1fdf0)", "12", "84512", device, "2"])
  }

  @Test func functionsLoseTheirOffsets() throws {
    #expect(
      try words(
        "csd_queue_cpu: cpu=3 callsite=ttwu_queue_wakelist+0xdd/0x100 func=flush_tlb_func "
          + "csd=000000009edf4a0e") == [
          "3", "ttwu_queue_wakelist", "flush_tlb_func", "\(0x9edf_4a0e)",
        ])
    #expect(
      try words("csd_function_entry: func=flush_tlb_func, csd=(nil)") == ["flush_tlb_func", "0"])
    #expect(
      try words("csd_function_entry: func=0xffffffff8110b1f0 (-2129612304) csd=0x1 (1)")
        == ["\(0xffff_ffff_8110_b1f0 as UInt64)", "1"])
    #expect(
      try words("ipi_send_cpu: cpu=1 callsite=wakeup_preempt+0x37/0x70 callback=0x0")
        == ["1", "wakeup_preempt", "0"])
  }

  @Test func masksAreReadInBothForms() throws {
    func mask(_ text: String) throws -> String {
      try words("ipi_send_cpumask: cpumask=\(text) callsite=f+0x1/0x2 callback=g+0x0/0x20")[0]
    }
    #expect(try mask("00000000,0000000e") == "1,2,3")
    #expect(try mask("80000001,00000000,00000002") == "1,64,95")
    #expect(try mask("2-3") == "2,3")
    #expect(try mask("0,5-6,70") == "0,5,6,70")
    #expect(try mask("524320") == "-")
    #expect(try mask("3-2") == "-")
    #expect(try mask("<INVALID-TYPE>") == "-")
    #expect(
      try perf("ipi:ipi_send_cpumask: [FAILED TO PARSE] cpumask=524320 callsite=0x1 callback=0x2")
        == ["-", "1", "2"])
  }

  @Test(arguments: [
    "prev_comm=a b-c:1 [z] prev_pid=1647 prev_prio=120 prev_state=R+ ==> next_comm= kid-5  "
      + "next_pid=0 next_prio=120",
    "a b-c:1 [z]:1647 [120] R ==>  kid-5 :0 [120]",
    "prev_comm=a b-c:1 [z] prev_pid=0x66f (1647) prev_prio=0x78 (120) prev_state=x "
      + "next_comm= kid-5  next_pid=0x0 (0) next_prio=0x78 (120)",
  ])
  func taskSwitchHasAwkwardNames(text: String) throws {
    #expect(try words("sched_switch: " + text) == ["1647", "0", "-", "a b-c:1 [z]", " kid-5 "])
  }

  @Test func numericStateIsKept() throws {
    let text =
      "sched_switch: prev_comm=x prev_pid=1 prev_prio=120 prev_state=1 next_comm=y next_pid=2"
    #expect(try words(text) == ["1", "2", "1", "x", "y"])
  }

  @Test func systemCallsAreReadInAllSpellings() throws {
    let entry = ["\(0x7f2c_4624_0000)", "\(0x4000)", "1"]
    for text in [
      "sys_mprotect(start: 7f2c46240000, len: 4000, prot: 1)",
      "sys_mprotect(start: 0x7f2c46240000, len: 0x4000, prot: 0x1)",
      "sys_enter_mprotect:   start: 0x7f2c46240000, len: 0x00004000, prot: 0x00000001",
      "sys_enter_mprotect: __syscall_nr=0xa (10) start=0x7f2c46240000 (1) len=0x4000 (1) prot=0x1 (1)",
    ] { #expect(try words(text) == entry) }
    for text in [
      "sys_munmap -> 0xfffffffffffffff4", "sys_exit_munmap:   0xfffffffffffffff4",
      "sys_exit_munmap: __syscall_nr=11 ret=-12",
    ] { #expect(try words(text) == ["-12"]) }
    #expect(
      try words("sys_enter: NR 11 (7f0000, 1000, 3, 22, ffffffff, 0)")
        == ["11", "\(0x7f_0000)", "\(0x1000)", "3", "\(0x22)", "\(0xffff_ffff)", "0"])
    #expect(try words("sys_exit: NR 11 = -12") == ["11", "-12"])
  }

  @Test func marksAreTheirText() throws {
    #expect(try words("tracing_mark_write: TB_BEGIN of a run") == ["TB_BEGIN of a run"])
    #expect(try words("print:     tracing_mark_write: TB_BEGIN") == ["TB_BEGIN"])
    #expect(try words("print: TB_END") == ["TB_END"])
    #expect(try words("print: ip=0xffffffff81 buf=TB_END") == ["TB_END"])
    #expect(try perf("ftrace:print: tracing_mark_write: TB_END") == ["TB_END"])
  }

  @Test func otherEventsOfTheReplay() throws {
    #expect(
      try words("signal_generate: sig=23 errno=0 code=0 comm=work load pid=294 grp=1 res=1")
        == ["23", "work load", "294"])
    #expect(
      try words("set_migration_pte: addr=7fffbe1fc000, pte=eff9fffffc042202 order=0")
        == ["\(0x7fff_be1f_c000)", "\(Int64(bitPattern: 0xeff9_ffff_fc04_2202))", "0"])
    #expect(
      try words(
        "mm_migrate_pages: nr_succeeded=55 nr_failed=4 nr_thp_succeeded=0 nr_thp_failed=1 "
          + "nr_thp_split=2 nr_split=3 mode=MIGRATE_ASYNC reason=demotion")
        == ["55", "4", "0", "1", "2", "3", "0", "8"])
    #expect(
      try words("mm_migrate_pages: nr_succeeded=1 nr_failed=0 mode=MIGRATE_SYNC reason=cma")
        == ["1", "0", "-", "-", "-", "-", "2", "6"])
    #expect(
      try words("rss_stat: mm_id=29 curr=1 type=MM_ANONPAGES size=4096B") == [
        "29", "1", "1", "4096",
      ])
    #expect(
      try words("mmap_lock_released: mm=00000000abcdef01 memcg_path=/ write=true")
        == ["\(0xabcd_ef01)", "1"])
  }

  /// The same capture as numbers (`report -R`) and as the words of the tools.
  @Test func wordsAgreeWithTheRawReport() throws {
    let raw = try TextResult(TextSamples.path("tcr-a-one-R.txt.gz"))
    for name in ["tcr-a-one-default.txt.gz", "tcr-a-one-N.txt.gz"] {
      let words = try TextResult(TextSamples.path(name))
      try #require(raw.rows.count == words.rows.count)
      for (a, b) in zip(raw.rows, words.rows) {
        var (a, b) = (a, b)
        // The raw form has no mask, the others no task state.
        if a.event == "ipi:ipi_send_cpumask" { (a.words[0], b.words[0]) = ("", "") }
        if a.event == "sched:sched_switch" { (a.words[2], b.words[2]) = ("", "") }
        #expect(a == b)
      }
    }
  }

  @Test func dialectsOfOneBufferAgree() throws {
    let plain = try TextResult(TextSamples.path("ft-a-one-default.txt"))
    for form in ["noirqinfo", "tgid", "nohash", "verbose", "latverbose"] {
      let other = try TextResult(TextSamples.path("ft-a-one-\(form).txt.gz"))
      try #require(plain.rows.count == other.rows.count)
      for (a, b) in zip(plain.rows, other.rows) {
        var (a, b) = (a, b)
        // Hashed pointers are not those of the option nohash-ptr.
        if form == "nohash", a.event.hasPrefix("csd:") {
          a.words.removeLast()
          b.words.removeLast()
        }
        #expect(a == b, "\(form)")
      }
    }
  }
}
