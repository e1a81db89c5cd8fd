import ArgumentParser

/// What part of a trace counts, for every command that reads one.
struct WindowOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Count only what lies between two marks: texts written to trace_marker, or sig:N.",
      valueName: "A,B"))
  var between: String?

  @Option(help: ArgumentHelp("One buffer of several (the top one is \"\").", valueName: "NAME"))
  var instance: String?

  @OptionGroup(title: "Filters") var filters: FilterOptions

  /// The marks of `--between`.
  var marks: (String, String)? {
    guard let parts = between?.split(separator: ",", omittingEmptySubsequences: false),
      parts.count == 2
    else { return nil }
    return (String(parts[0]), String(parts[1]))
  }

  func validate() throws {
    if between != nil, marks == nil {
      throw ValidationError("--between takes two marks with a comma: --between TB_BEGIN,TB_END")
    }
  }
}
