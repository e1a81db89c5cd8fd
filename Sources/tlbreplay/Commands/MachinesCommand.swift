import ArgumentParser
import Machine
import Reporting

/// `tlbreplay machines`: the catalogue of modelled machines.
struct MachinesCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "machines",
    abstract: "List the machines that can be modelled, or all numbers of one with their sources.",
    discussion: """
      A machine file (with / or .toml in its name) makes a new machine, from a known one or all by
      itself; a level that it names replaces that of the base:

        base = "sapphire-rapids"     # optional
        walk_ns = [20, 40, 100]      # lower, expected, upper; or one number
        second_level_shared = false

        [[second]]                   # fetch, load, store, second, second_fetch
        entries = 1024
        ways = 8                     # without: fully associative
        pages = ["4K", "2M"]

      Other keys: name, summary, source, page_table_isolation, broadcast_flush, first_level_shared,
      threads_per_core, page_walkers, paging_levels, second_level_hit_cycles, and
      [[paging_structures]] (of the page directory first, no pages).

      Examples:
        tlbreplay machines
        tlbreplay machines zen-4
        tlbreplay machines Traces/machines/half-stlb.toml
      """)

  @Argument(help: ArgumentHelp("A machine of the catalogue, or a machine file.", valueName: "NAME"))
  var machine: String?

  @OptionGroup var output: OutputOptions

  func run() throws {
    guard let machine else { return try output.emit(MachineReport.catalogue()) }
    try output.emit(MachineReport.table(of: MachineFile.machine(machine)))
  }
}
