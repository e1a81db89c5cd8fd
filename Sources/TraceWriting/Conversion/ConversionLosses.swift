/// What a converted trace no longer has of its source, so that nobody has to guess.
public struct ConversionLosses: Sendable, Equatable {
  /// Rows written.
  public var rows: UInt64 = 0
  /// Events whose fields the tool does not know, by name: kept without them.
  public var bareEvents: [String: UInt64] = [:]
  /// Rows without a CPU, or of one that the form cannot number: left out.
  public var withoutCPU: UInt64 = 0
  /// Rows whose time lay before that of their CPU's last one: moved up to it.
  public var movedUp: UInt64 = 0
  /// CPU masks with CPUs from 64 on, which are cut off.
  public var masksCut: UInt64 = 0
  /// Fields that some rows of their kind have and others lack: written as 0 where they lack.
  public var partialFields: [String] = []
  /// Times rounded to microseconds.
  public var timesRounded: UInt64 = 0

  /// Nothing lost.
  public init() {}

  /// A line for each loss.
  public var lines: [String] {
    var lines: [String] = []
    if !bareEvents.isEmpty {
      let total = bareEvents.values.reduce(0, +)
      let names = bareEvents.keys.sorted()
      let shown = names.prefix(8).joined(separator: ", ") + (names.count > 8 ? ", ..." : "")
      lines.append(
        "\(total) events of \(names.count) kinds whose fields are not known are kept without them: "
          + shown)
    }
    if withoutCPU > 0 {
      lines.append("\(withoutCPU) events without a usable CPU number are left out")
    }
    if movedUp > 0 {
      lines.append(
        "\(movedUp) events went back in time on their CPU and are moved up to the one before")
    }
    if masksCut > 0 { lines.append("\(masksCut) CPU masks lost their CPUs from 64 on") }
    if !partialFields.isEmpty {
      lines.append(
        "fields that only some events have are 0 in the others: "
          + partialFields.joined(separator: ", "))
    }
    if timesRounded > 0 { lines.append("\(timesRounded) times are rounded to microseconds") }
    return lines
  }
}
