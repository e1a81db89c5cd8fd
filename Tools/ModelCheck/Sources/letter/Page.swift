/// The words of the page.
enum Page {
  static let head = """
    # The letter on the modelled machine

    Made by `Tools/reproduce-letter`. The LUF v10 letter (linux-mm, 10 May 2024) measured three
    llama.cpp inferences on a Xeon Gold 6430 with 42 GB of DRAM and 98 GB of CXL memory. Here the
    scenario `Traces/scenarios/llama-cpp.toml` runs on the modelled machine, without lazy unmap flush and
    with LUF v10, each in a closed loop. Every figure of the model is modelled.

    ## Six figures

    The change from BEFORE to AFTER.

    """

  static let parameters = """

    ## What was put in

    | parameter | value | |
    |---|---|---|
    | CPUs, nodes, models, threads, swap, balancing | the letter's | given |
    | pages that storage delivers | one a microsecond | **fitted** to the letter's BEFORE: 3 x 70 GB a pass, some 20 passes in 1052 s. The only fitted parameter |
    | layers of a model, barrier after each, awake while waiting | 80; ggml's way | assumed |
    | watermarks, per-CPU lists, reclaim, batches, lazy CPUs | Linux 6.12's rules | source |
    | costs of faults, copies, shootdowns | `ScenarioCosts.swift`, from recorded runs and the facts' ranges | assumed, not from the letter |
    | reuse of pages | `Traces/profiles/matvec.profile`, from `Tools/ModelCheck/Sources/matvec` under Valgrind's lackey | measured on a stand-in |
    | accesses a second of a CPU | 2e8 to 1e10 | assumed |
    | TLBs | Sapphire Rapids, 1024 to 2048 entries | source |

    None of the six AFTER figures was used, nor any count of flushes or misses of BEFORE.
    """

  static let reasons = """

    ## Why it is off where it is off

    - **Shootdowns.** The figure grows with the machine up to a fiftieth of it, as free lists grow longer
      and more batches wait for one forced flush, and stands still from there. What is left then comes
      from two things: batches that are refused, because another flush runs on some CPU when they come,
      and forced flushes, which go to the CPUs of all three inferences (some 19 of them, a batch's own
      flush to 11). The letter would need fewer of both. The threads are pinned here, 15 to a model; there
      the scheduler moved them, and how long its flushes took is not known.
    - **Misses.** The direction and the order of size follow; single figures do not. The stand-in hardly
      stores and has no kernel in it, so its stores are nearly all made by flushes; the letter's have a
      base of 40 % that no flush makes. Which part of the loads is a base hangs on the rate of accesses: at
      1e10 a second it is most of them, at 2e8 little. These figures come from the open loop, the row of
      which is below the closed one (see `Traces/scenarios/README.md`).
    - **Run time.** Storage bounds the modelled run, so shootdowns that are saved become idle time. The
      letter's -5.33 % has a 95 % interval of 2.1 points over ten repetitions, and per avoided interrupt it
      is 2.1 us of thread time, more than any interrupt alone costs.
    """

  static let migrcHead = """

    ## MIGRC's published pairs, without refitting

    XSBench fills a table that is larger than DRAM and looks up at random; NUMA balancing promotes, kswapd
    demotes. The runs are as long as it takes for as many migrations of each page as were published
    (`pgmigrate_success`: 1.5 a page of the table for RFC v1, 19 for v6 to v8; v3 had half the look-ups of
    v6). Nothing else was set for them. sends: `nr_tlb_remote_flush`; received:
    `nr_tlb_remote_flush_received`, here the TLB row.

    | pair | policy | migrations a page | sends, published | model | received, published | model |
    |---|---|--:|--:|--:|--:|--:|
    """

  static let migrcReasons = """

    A page can be demoted without a flush once a promotion has taken its write bit, so the gain grows with
    the migrations that each page has seen. RFC v1 is run by the rules of v3, the oldest that the
    catalogue has. The frames that MIGRC holds are on the free lists here, and taking one forces its flush.
    """
}
