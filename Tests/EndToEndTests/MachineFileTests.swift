import Foundation
import Testing
import TraceBuilding

@Suite struct MachineFileTests {
  private func written(_ text: String, _ body: (String) throws -> Void) throws {
    let scratch = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    try FileManager.default.createDirectory(at: scratch, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: scratch) }
    let file = scratch.appending(path: "mine.toml")
    try Data(text.utf8).write(to: file)
    try body(file.path)
  }

  private func machine(_ name: String) throws -> JSON {
    let run = try Tool.run(["machines", "--json", name])
    #expect(run.exitCode == 0, "\(run.errors)")
    let document = try run.json()
    #expect(document["schema"].text == "tlbreplay.machines/1")
    return document["machines"].elements[0]
  }

  @Test func everyMachineOfTheCatalogueHasATable() throws {
    let catalogue = try Tool.run(["machines", "--json"]).json()["machines"].elements
    #expect(catalogue.count == 7)
    for entry in catalogue {
      let name = try #require(entry["name"].text)
      #expect(try machine(name)["name"].text == name)
      #expect(try Tool.run(["machines", name]).exitCode == 0)
    }
  }

  @Test func bundledFilesAreMachines() throws {
    let half = try machine("machines/half-stlb.toml")
    #expect(half["name"].text == "sapphire-rapids-half")
    #expect(half["arrays"]["second"].elements.count == 1)
    #expect(half["arrays"]["load"].elements.count == 3)
    let plain = try machine("machines/champsim.toml")
    #expect(plain["paging_levels"].integer == 5)
    #expect(plain["arrays"]["second"].elements[0]["sets"].integer == 128)
  }

  @Test func changesStandBesideTheBase() throws {
    try written(
      """
      base = "zen-4"
      walk_ns = [10, 25.5, 90]
      second_level_hit_cycles = 7
      store = []
      page_table_isolation = true
      broadcast_flush = false
      first_level_shared = true
      threads_per_core = 1
      page_walkers = 3
      fetch = [{ entries = 8, pages = ["4K", "1G"] }]

      [[paging_structures]]
      entries = 16
      ways = 4
      """
    ) { file in
      let mine = try machine(file)
      #expect(mine["name"].text == "mine")
      #expect(mine["summary"].text == "zen-4 with changes")
      #expect(mine["walk_ns"]["value"] == .number(25.5))
      #expect(mine["walk_ns"]["upper"].integer == 90)
      #expect(mine["second_level_hit_cycles"]["lower"].integer == 7)
      #expect(mine["page_walkers"]["value"].integer == 3)
      #expect(mine["threads_per_core"]["value"].integer == 1)
      #expect(mine["arrays"]["fetch"].elements[0]["ways"]["value"].integer == 8)
      #expect(mine["arrays"]["second"].elements.count == 2)
      #expect(mine["arrays"]["paging_structures"].elements.count == 1)
    }
  }

  @Test(arguments: [
    ("base = \"zen-4\"\nbsae = 1\n", ":2: unknown key \"bsae\""),
    ("base = \"zen-9\"\n", ":1: \"zen-9\" is no machine; known are skylake-sp"),
    ("name = \"zen-4\"\n", ":1: \"zen-4\" is the name of a known machine"),
    ("name = \"my machine\"\n", ":1: name is one word"),
    ("name = 4\n", ":1: name is a string"),
    ("name = \"mine\"\n", "fetch: at least one array"),
    ("base = \"zen-4\"\n\nwalk_ns = [3, 2, 1]\n", ":3: walk_ns is a number from 0"),
    ("base = \"zen-4\"\nwalk_ns = \"few\"\n", ":2: walk_ns is a number"),
    ("base = \"zen-4\"\nwalk_ns = -1\n", ":2: walk_ns is a number"),
    ("base = \"zen-4\"\nwalk_ns = nan\n", ":2: walk_ns is a number"),
    ("base = \"zen-4\"\npaging_levels = 3\n", ":2: paging_levels is 4 to 5"),
    ("base = \"zen-4\"\nbroadcast_flush = 1\n", ":2: broadcast_flush is true or false"),
    ("base = \"zen-4\"\nsecond = 4\n", ":2: second is a list of arrays"),
    ("base = \"zen-4\"\nsecond = [4]\n", ":2: second is a list of arrays"),
    (
      "base = \"zen-4\"\n[[load]]\nentries = 8\npages = [\"4K\"]\n\n[[load]]\nentries = 0\n"
        + "pages = [\"2M\"]\n",
      ":7: load: entries is 1 to 65536"
    ),
    (
      "base = \"zen-4\"\n[[load]]\nentries = 12\nways = 4\npages = [\"4K\"]\n",
      ":3: load: entries / ways is a power of two"
    ),
    ("base = \"zen-4\"\n[[load]]\nentries = 8\nways = 0\npages = [\"4K\"]\n", "ways is 1 to 1024"),
    ("base = \"zen-4\"\n[[load]]\nentries = 8\n", ":2: load: pages is a list of"),
    ("base = \"zen-4\"\n[[load]]\nentries = 8\npages = [\"8K\"]\n", ":4: load: pages is a list"),
    (
      "base = \"zen-4\"\n[[load]]\nentries = 8\nsize = 1\npages = [\"4K\"]\n",
      ":4: load: unknown key \"size\""
    ),
    (
      "base = \"zen-4\"\n[[paging_structures]]\nentries = 8\npages = [\"4K\"]\n",
      ":4: paging_structures: has no pages"
    ),
    (
      "base = \"zen-4\"\n[[second]]\nentries = 8\nways = 4\npages = [\"4K\"]\n[[second]]\n"
        + "entries = 16\nways = 4\npages = [\"4K\", \"2M\"]\n",
      ":2: second: arrays that take pages of one size have equally many sets"
    ),
    (
      "base = \"zen-4\"\nload = [\(Array(repeating: "{entries=1,pages=[\"4K\"]}", count: 5).joined(separator: ","))]\n",
      ":2: load: at most 4 arrays"
    ),
    ("base = \"zen-4\nwalk_ns = 3\n", ":1: "),
  ])
  func badFilesSayWhatIsWrong(_ text: String, _ words: String) throws {
    try written(text) { file in
      let run = try Tool.run(["machines", file])
      #expect(run.exitCode == 2)
      #expect(run.output.isEmpty)
      #expect(run.errors.contains(words) && run.errors.contains(file), "\(run.errors)")
    }
  }

  @Test func whatIsNoMachineIsRefused() throws {
    for name in ["pentium", "./machines", "./machines/none.toml", "./formats/td-a-one-v7-zstd.dat"]
    {
      let run = try Tool.run(["machines", name])
      #expect(run.exitCode == 2 && run.errors.contains(name), "\(run.errors)")
    }
  }
}
