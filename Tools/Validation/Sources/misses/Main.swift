import Machine
import MissChecking
import TraceEvents

/// Compares the miss formula with exact simulation on streams that lackey makes here and now, and
/// prints the page Traces/miss-model.md.
@main
struct Misses {
  static func main() throws {
    let count = CommandLine.arguments.count > 1 ? Int(CommandLine.arguments[1]) : 10_000_000
    guard let count, count >= 100_000 else {
      print("usage: misses [ACCESSES]")
      return
    }
    print(MissPage.head(count))
    for capture in AccessCapture.all {
      let accesses = try capture.accesses(count)
      print(MissPage.section(capture, accesses))
    }
  }
}

/// The page, in Markdown.
enum MissPage {
  static let windowLength = ReuseRecorder.windowLengthDefault
  static let gaps = [300, 3_000, 30_000, 100_000, 300_000, 1_000_000]

  static func head(_ count: Int) -> String {
    """
    # Walks per flush: formula against exact simulation

    Made by `Tools/validate-misses`: lackey traces of \(count) accesses (start-up left out), each \
    replayed in the exact simulator of Sapphire Rapids (STLB 2048 x 16 for 4 KiB pages), and of a \
    TLB too small for most of these programs, with a full flush every so many accesses. *exact* is (walks with flushes - walks without) / flushes; \
    *formula* is the mean of X(G) from the stream's reuse profile in windows of \(windowLength) \
    accesses. Poisson gaps have the same mean. Gaps up to a tenth of T_C must be within 2 %, longer \
    ones within 10 % while a run holds at least 60 flushes; rows with fewer flushes bind nothing.

    """
  }

  static func section(_ capture: AccessCapture, _ accesses: [PageAccess]) -> String {
    guard let machine = MachineCatalog.machine(named: "sapphire-rapids") else { return "" }
    return "## \(capture.name)\n\n`\(capture.command)`\n\n"
      + tables(
        FormulaCheck(
          accesses, geometry: machine.geometry, entries: 2048, windowLength: windowLength),
        "Sapphire Rapids")
      + tables(
        FormulaCheck(
          accesses, geometry: .small(smallEntries), entries: smallEntries,
          windowLength: windowLength),
        "\(smallEntries) entries")
  }

  /// So few that most working sets here do not fit.
  private static let smallEntries = 64

  private static func tables(_ check: FormulaCheck, _ name: String) -> String {
    var lines: [String] = []
    let residence = check.residence.map { "T_C \($0) accesses" } ?? "everything fits: no T_C"
    lines.append("**\(name)**: \(check.profile.pages) pages; \(residence).")
    lines.append("")
    lines.append("| without flushes | fetch | load | store |")
    lines.append("|---|---:|---:|---:|")
    lines.append("| exact walks | \(check.base.fetch) | \(check.base.load) | \(check.base.store) |")
    let base = AccessClass.allCases.map { "\(Int(check.predictedBase($0).rounded()))" }
    lines.append("| formula | \(base.joined(separator: " | ")) |")
    lines.append("")
    lines.append("| gap, accesses | flushes | exact | formula | error | Poisson: error |")
    lines.append("|---:|---:|---:|---:|---:|---:|")
    for gap in gaps where gap < check.accesses.count / 3 {
      let periodic = check.compare(gap: gap, pattern: .periodic)
      let poisson = check.compare(gap: gap, pattern: .poisson)
      lines.append(
        "| \(gap) | \(periodic.flushes) | \(decimal(periodic.exact, 2)) "
          + "| \(decimal(periodic.predicted, 2)) | \(percent(periodic.error)) "
          + "| \(percent(poisson.error)) |")
    }
    return lines.joined(separator: "\n") + "\n\n"
  }

  static func percent(_ value: Double) -> String {
    (value < 0 ? "-" : "+") + decimal(value.magnitude * 100, 2) + " %"
  }

  /// With `digits` decimals, without a locale.
  static func decimal(_ value: Double, _ digits: Int) -> String {
    let scale = (0..<digits).reduce(1) { factor, _ in factor * 10 }
    let scaled = Int((value * Double(scale)).rounded())
    let fraction = String(scaled % scale)
    return "\(scaled / scale)." + String(repeating: "0", count: digits - fraction.count) + fraction
  }
}
