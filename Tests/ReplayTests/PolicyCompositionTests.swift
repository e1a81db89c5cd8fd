import Testing
import TraceBuilding
import TraceEvents

@testable import Replay

@Suite struct PolicyCompositionTests {
  @Test func everyToggleReadsWhatItWrites() {
    for toggle in PolicyToggle.all {
      for value in toggle.values {
        var rules = LazyFlushRules.v11
        toggle.write(value, &rules)
        #expect(toggle.read(rules) == value, "\(toggle.name)")
        // It sets nothing that another toggle shows.
        for other in PolicyToggle.all
        where other.name != toggle.name && other.name != "flush_on_exit" {
          #expect(other.read(rules) == other.read(.v11), "\(toggle.name) and \(other.name)")
        }
      }
      #expect(toggle.missing.allSatisfy { !toggle.values.contains($0.value) })
    }
    #expect(Set(PolicyToggle.all.map(\.name)).count == PolicyToggle.all.count)
  }

  /// Between any two versions the toggles, set to what the second has, make the second.
  @Test func togglesTurnEveryVersionIntoEveryOther() throws {
    for from in LazyFlushRules.versions {
      for to in LazyFlushRules.versions {
        var rules = from
        for toggle in PolicyToggle.all { toggle.write(toggle.read(to), &rules) }
        rules.name = to.name
        // Watermarks are in no event.
        rules.countsHeldAsFree = to.countsHeldAsFree
        #expect(rules == to, "\(from.name) to \(to.name)")
      }
    }
  }

  @Test(arguments: 1...10 as ClosedRange<UInt64>)
  func aBaseUnderAnotherNameIsTheBase(_ seed: UInt64) throws {
    let script = ReplayPropertyTests.unmapStream(seed)
    for base in PolicyComposition.bases {
      let blueprint = try PolicyComposition(name: "mine", base: base).blueprint()
      let context = ReplayContext(cpuCount: 5, flushFunction: FunctionName.flushTLBFunction)
      var session = ReplaySession(context, blueprints: [blueprint])
      script.forEachBatch { session.consume($0, directory: script.directory) }
      let mine = try session.finish().policies[1]
      let theirs = try CatalogReplay.policy(script, base)
      #expect(mine.figures?.tlbRow == theirs.figures?.tlbRow, "\(base)")
      #expect(mine.figures?.ledger == theirs.figures?.ledger, "\(base)")
      #expect(mine.notes.contains("composed: \(base)"))
    }
  }

  @Test func combinationsThatNoReplayKnowsAreRefused() throws {
    func refusal(_ base: String, _ toggles: [(String, PolicyComposition.Value)]) -> String? {
      do {
        var composition = try PolicyComposition(name: "mine", base: base)
        for (name, value) in toggles { try composition.set(name, to: value) }
        _ = try composition.blueprint()
        return nil
      } catch { return error.message }
    }
    #expect(refusal("luf-v12", [("buddy_ugen", .word("lost"))])?.contains("global") == true)
    #expect(refusal("luf-v11", [("credit_batch_flush", .word("none"))])?.contains("table") == true)
    #expect(refusal("luf-v11", [("atomic_alloc", .word("skip"))])?.contains("table") == true)
    #expect(
      refusal(
        "luf-v11",
        [
          ("pending_domain", .word("table")), ("refill_flush", .word("exact")),
          ("giveup_when_flushing", .flag(false)), ("credit_while_flushing", .flag(true)),
          ("flush_on_exit", .word("zone")),
        ]) == nil)
    #expect(refusal("luf-v11", [("flush_on_exit", .word("zone"))])?.contains("follows") == true)
    #expect(refusal("luf-v11", [("kept_folio", .word("leave"))]) == nil)
    #expect(refusal("luf-v11", [("generation_bits", .number(16))])?.contains("wrap") == true)
    #expect(refusal("luf-v11", [("hold_source", .word("true"))])?.contains("can be") == true)
    #expect(refusal("luf-ideal", [])?.contains("no base") == true)
  }
}
