/// What the user asked for.
struct Options {
  /// Rows in the order in which they run.
  static let allRows = [
    "v6", "v7-zstd", "perf", "text", "replay", "machine", "trace-cmd", "perf-script",
  ]

  static let usage = """
    usage: benchmarks [--events N] [--slice N] [--runs N] [--seed N] [--dir DIR] [--rows LIST]
                      [--tlbreplay FILE] [--keep] [--markdown]

      --events N        events in the inputs that only tlbreplay reads, and accesses in the
                        streams of row machine (10000000)
      --slice N         events in the inputs that stock tools read as well, and in the
                        smaller one of the replays (1000000)
      --runs N          runs of each measurement; the median counts, of replays and of
                        row machine the best (3)
      --seed N          seed of the generated events (1)
      --dir DIR         where the inputs are made (a temporary folder, removed at the end)
      --rows LIST       of \(allRows.joined(separator: ",")) (all)
      --tlbreplay FILE  the tool to measure (the release build of this package's parent)
      --keep            leave the inputs in DIR, to look at with a profiler
      --markdown        print a table for a README
    """

  var events = 10_000_000
  var slice = 1_000_000
  var runs = 3
  var seed: UInt64 = 1
  var folder: String?
  var rows = Options.allRows
  var tool: String?
  var isMarkdown = false
  var keepsInputs = false

  init(_ arguments: ArraySlice<String>) throws {
    var rest = arguments
    while let name = rest.popFirst() {
      if name == "--markdown" {
        isMarkdown = true
        continue
      }
      if name == "--keep" {
        keepsInputs = true
        continue
      }
      guard let value = rest.popFirst() else { throw BenchmarkError(Self.usage) }
      switch name {
      case "--events": events = try Self.number(value)
      case "--slice": slice = try Self.number(value)
      case "--runs": runs = try Self.number(value)
      case "--seed": seed = UInt64(try Self.number(value))
      case "--dir": folder = value
      case "--tlbreplay": tool = value
      case "--rows":
        rows = value.split(separator: ",").map(String.init)
        guard rows.allSatisfy(Self.allRows.contains) else { throw BenchmarkError(Self.usage) }
      default: throw BenchmarkError(Self.usage)
      }
    }
  }

  private static func number(_ text: String) throws -> Int {
    guard let number = Int(text), number > 0 else { throw BenchmarkError(usage) }
    return number
  }
}
