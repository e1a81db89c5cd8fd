import Foundation
import Testing
import TraceBuilding

@Suite struct PolicyFileTests {
  private static let trace = "luf-pairs/burst-16/0.1"

  private func written(_ text: String, _ body: (String) throws -> Void) throws {
    let scratch = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    try FileManager.default.createDirectory(at: scratch, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: scratch) }
    let file = scratch.appending(path: "mine.toml")
    try Data(text.utf8).write(to: file)
    try body(file.path)
  }

  @Test func bundledFilesAreReplayedBesideTheirBases() throws {
    let run = try Tool.run([
      "report", "--json", "--policy", "policies/v11-without-writes.toml", "--policy", "luf-v11",
      "--policy", "policies/latr-paper.toml", "--policy", "latr-hz-1000", Self.trace,
    ])
    #expect(run.exitCode == 0, "\(run.errors)")
    for name in ["luf-v11-no-writes", "latr-paper"] { #expect(run.output.contains("\"\(name)\"")) }
    #expect(run.output.contains("composed: luf-v11 with cancel_file_write = none"))
  }

  @Test func aFileWithoutTogglesIsItsBase() throws {
    try written("base = \"luf-v10\"\n") { file in
      let composed = try Tool.run(["report", "--policy", file, Self.trace])
      let base = try Tool.run(["report", "--policy", "luf-v10", Self.trace])
      #expect(composed.exitCode == 0, "\(composed.errors)")
      func row(_ text: String, _ name: String) -> [Substring]? {
        text.split(separator: "\n").map { $0.split(separator: " ") }
          .last { $0.first == Substring(name) && $0.count > 4 }
      }
      let mine = try #require(row(composed.output, "mine"))
      let theirs = try #require(row(base.output, "luf-v10"))
      #expect(mine.dropFirst() == theirs.dropFirst())
    }
  }

  @Test(arguments: [
    ("base = \"luf-v10\"\nbsae = 1\n", ":2: unknown key \"bsae\""),
    ("name = \"x\"\n", "base = \"...\" is missing"),
    ("base = \"luf-v99\"\n", "\"luf-v99\" is no base"),
    ("base = \"batch-64\"\n", "is no base"),
    ("base = \"luf-v10\"\nname = \"luf-v11\"\n", "name of a known policy"),
    ("base = \"luf-v10\"\nname = \"two words\"\n", "no spaces"),
    ("base = \"luf-v10\"\n\n[toggles]\ncancel_all = true\n", ":4: unknown toggle \"cancel_all\""),
    ("base = \"luf-v10\"\n[toggles]\ncancel_wp_fault = \"some\"\n", ":3: cancel_wp_fault can be"),
    ("base = \"luf-v10\"\n[toggles]\ncancel_wp_fault = \"marked\"\n", "which folio a fault is on"),
    (
      "base = \"luf-v10\"\n[toggles]\ncancel_mmap_write = \"true\"\n",
      ":3: cancel_mmap_write can be"
    ),
    ("base = \"luf-v10\"\n[toggles]\nlarge_folios = \"allow\"\n", "cannot be replayed"),
    (
      "base = \"luf-v11\"\n[toggles]\npending_domain = \"table\"\n",
      "needs refill_flush = \"exact\""
    ),
    ("base = \"luf-v12\"\n[toggles]\npending_domain = \"global\"\n", "credit_batch_flush"),
    ("base = \"latr\"\n[toggles]\nticks_per_second = 0\n", ":3: ticks_per_second can be a number"),
    ("base = \"latr\"\n[toggles]\nscope = \"migrate-any\"\n", "unknown toggle \"scope\""),
    ("base = \"luf-v10\n", ":1: "),
    ("base = \"luf-v10\"\n[toggles]\nscope = [1]\n", ":3: scope is true, false"),
    ("base = \"luf-v10\"\nbase = \"luf-v11\"\n", ":2: "),
  ])
  func badFilesSayWhatIsWrong(_ text: String, _ words: String) throws {
    try written(text) { file in
      let run = try Tool.run(["report", "--policy", file, Self.trace])
      #expect(run.exitCode == 2)
      #expect(run.output.isEmpty)
      #expect(run.errors.contains(words) && run.errors.contains(file), "\(run.errors)")
    }
  }

  @Test func whatIsNoPolicyFileIsRefused() throws {
    for path in ["policies", "policies/none.toml", "formats/td-a-one-v7-zstd.dat"] {
      let run = try Tool.run(["report", "--policy", "./" + path, Self.trace])
      #expect(run.exitCode == 2 && run.errors.contains(path), "\(run.errors)")
    }
    try written(String(repeating: "# long\n", count: 10_000)) { file in
      let run = try Tool.run(["report", "--policy", file, Self.trace])
      #expect(run.exitCode == 2 && run.errors.contains("64 KiB"))
    }
  }

  @Test func helpListsEveryToggleThatCanBeSet() throws {
    let help = try Tool.run(["policies", "--help"])
    #expect(help.exitCode == 0)
    for toggle in ["pending_domain", "cancel_wp_fault", "ticks_per_second"] {
      #expect(help.output.contains(toggle))
    }
  }

  @Test func theDurationOfAFlushCanBeGiven() throws {
    func refused(_ arguments: [String]) throws -> Int {
      let run = try Tool.run(["report", "--policy", "luf-v10", "--json", Self.trace] + arguments)
      #expect(run.exitCode == 0, "\(run.errors)")
      return run.output.matches(of: #/"refused"\s*:\s*(\d+)/#).reduce(0) { $0 + (Int($1.1) ?? 0) }
    }
    // Beside flushes that never end everything is refused, beside flushes of no time nothing.
    let never = try refused(["--flush-duration", "0"])
    let always = try refused(["--flush-duration", "3600000000000"])
    let recorded = try refused([])
    #expect(never == 0 && recorded >= never && always > recorded)
    for value in ["-1", "soon", "1.5"] {
      #expect(try Tool.run(["report", "--flush-duration", value, Self.trace]).exitCode == 2)
    }
  }
}
