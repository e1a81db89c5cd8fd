/// The report's data as one long table, a row a value, for spreadsheets and databases.
///
/// RFC 4180: comma, CRLF, quotation marks only where a field needs them. Numbers stand in `value`,
/// all else in `text`, so that a database reads `value` as numbers.
public struct CSVRenderer: ReportRenderer {
  /// See ``ReportRenderer/name``.
  public let name = "csv"
  /// See ``ReportRenderer/summary``.
  public let summary = "a row a value, for spreadsheets and databases"

  /// Titles of the columns.
  ///
  /// - `report`, `input`: the command (`stat`), and what it was asked about.
  /// - `section`, `item`, `metric`: where the value stands: part of the document, the policy, event,
  ///   measure or other thing that has a name, and what of it is said.
  /// - `cpu`, `position`: of lists by CPU the CPU number; of other lists the place, from 0.
  /// - `value`, `text`: a number, or words; both are empty for what is not observable.
  /// - `unit`, `grade`: what it counts; measured, derived or modelled.
  /// - `path`: the whole name, as `--explain` takes it.
  public static let columns = [
    "report", "input", "section", "item", "metric", "cpu", "position", "value", "text", "unit",
    "grade", "path",
  ]

  /// A renderer.
  public init() {}

  /// The table with its titles.
  public func render(_ report: Report) -> String {
    var text = Self.columns.joined(separator: ",") + "\r\n"
    let command = Self.command(report.data)
    let input = Self.input(report.title, command)
    let head = Self.field(command) + "," + Self.field(input) + ","
    // Lists by CPU are long, and all of one has the same place.
    var last: (path: [String], fields: (place: String, end: String))?
    ReportMetrics.visit(report.data) { metric in
      if last?.path != metric.path {
        last = (metric.path, (Self.place(metric), Self.end(metric)))
      }
      guard let fields = last?.fields else { return }
      text += head
      text += fields.place
      text += Self.values(metric)
      text += fields.end
    }
    return text
  }

  /// `stat` of `tlbreplay.stat/1`.
  private static func command(_ data: JSONValue) -> String {
    guard case .object(let members) = data, case .string(let schema)? = members["schema"] else {
      return ""
    }
    return schema.split(separator: ".").last?.split(separator: "/").first.map(String.init) ?? schema
  }

  /// What a title says behind the command's name.
  private static func input(_ title: String, _ command: String) -> String {
    let start = "tlbreplay \(command): "
    return title.hasPrefix(start) ? String(title.dropFirst(start.count)) : ""
  }

  private static func place(_ metric: ReportMetric) -> String {
    var rest = metric.path
    let section = rest.isEmpty ? "" : rest.removeFirst()
    var item = ""
    if let named = metric.named, named > 0, named - 1 < rest.count {
      item = rest.remove(at: named - 1)
    }
    return [section, item, rest.joined(separator: ".")].map(field).joined(separator: ",") + ","
  }

  private static func values(_ metric: ReportMetric) -> String {
    var fields = ["", "", "", ""]
    if let position = metric.position {
      let isByCPU = metric.path.suffix(2).contains { $0 == "per_cpu" || $0 == "per_cpu_pages" }
      fields[isByCPU ? 0 : 1] = "\(position)"
    }
    switch metric.value {
    case .integer(let number): fields[2] = "\(number)"
    case .unsigned(let number): fields[2] = "\(number)"
    case .number(let number): fields[2] = "\(number)"
    case .bool(let flag): fields[3] = flag ? "true" : "false"
    case .string(let text): fields[3] = field(text)
    case .null, .array, .object: break
    }
    return fields.joined(separator: ",") + ","
  }

  private static func end(_ metric: ReportMetric) -> String {
    let unit = metric.isNumber || metric.value == .null ? Explanations.unit(of: metric) ?? "" : ""
    return [unit, Explanations.grade(of: metric) ?? "", metric.name].map(field).joined(
      separator: ",") + "\r\n"
  }

  /// A field, in quotation marks where it holds what separates fields or rows.
  static func field(_ text: String) -> String {
    // A line end of two characters is one in Swift: look at scalars.
    guard text.unicodeScalars.contains(where: { "\",\r\n".unicodeScalars.contains($0) }) else {
      return text
    }
    var quoted = String.UnicodeScalarView()
    quoted.append("\"")
    for scalar in text.unicodeScalars {
      if scalar == "\"" { quoted.append("\"") }
      quoted.append(scalar)
    }
    quoted.append("\"")
    return String(quoted)
  }
}
