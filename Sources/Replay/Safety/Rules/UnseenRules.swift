/// Rules that no event of a trace speaks of, and what to record to see them.
struct UnseenRules: SafetyCheck {
  private static let pins =
    "page_ref:page_ref_mod and page_ref_mod_and_test (CONFIG_DEBUG_PAGE_REF), or a probe on "
    + "pin_user_pages_fast and its kin"

  private static let records: [(SafetyRule, String)] = [
    (
      .writtenWhileFree,
      "the kernel's command line and configuration (init_on_free, KASAN, DEBUG_PAGEALLOC, page "
        + "poisoning), and probes on memory hot-unplug, balloon and free page reporting"
    ),
    (.otherReferences, pins), (.amitOtherReferences, pins),
  ]

  func verdicts(_ counts: SafetyCounts) -> [RuleVerdict] {
    Self.records.map { RuleFindings().verdict($0.0, orRecord: $0.1) }
  }
}
