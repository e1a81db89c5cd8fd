import ArgumentParser
import Machine

/// What things cost, as far as the user knows better.
struct CostOptions: ParsableArguments {
  @Option(
    name: .customLong("cost"),
    help: ArgumentHelp(
      "What something costs, in nanoseconds, with a range if it is not known exactly; repeat it "
        + "for more. Costs: \(CostTable.names.joined(separator: ", ")).",
      valueName: "NAME=VALUE|NAME=LO..HI"))
  var costs: [String] = []

  func validate() throws { _ = try table() }

  /// The costs of the time model.
  func table() throws -> CostTable {
    var table = CostTable.standard
    for text in costs {
      do throws(CostError) {
        try table.set(text)
      } catch {
        throw ValidationError("--cost: \(error).")
      }
    }
    return table
  }
}
