/// A report as a document: what is said, not how it looks. Renderers lay it out.
public struct Report: Sendable {
  /// One line above everything.
  public var title: String
  /// The few figures that matter most, for forms that begin with them; all stand in the sections too.
  public var headlines: [Headline] = []
  /// Parts in reading order.
  public var sections: [Section] = []
  /// The same facts for scripts: a document with a `schema`.
  public var data: JSONValue = .null
  /// What a cover letter says of it; nil for reports that compare nothing.
  public var coverLetter: CoverLetter?

  /// A report without sections.
  public init(title: String) { self.title = title }

  /// A figure that matters.
  public struct Headline: Sendable {
    /// What it is.
    public var name: String
    /// The figure.
    public var value: String
    /// Its bounds and what else must be said with it.
    public var detail: String
    /// See ``Plot/grade``.
    public var grade: String
  }

  /// A part with a heading.
  public struct Section: Sendable {
    /// What it is about.
    public var heading: String
    /// Its content in reading order.
    public var blocks: [Block]
    /// Whether it says nothing to forms that cannot draw.
    public var isDrawn: Bool { !blocks.isEmpty && blocks.allSatisfy(\.isPlot) }

    /// A section.
    public init(_ heading: String, _ blocks: [Block]) {
      self.heading = heading
      self.blocks = blocks
    }
  }

  /// A piece of content.
  public enum Block: Sendable {
    /// Names and values, one a line.
    case facts([(name: String, value: String)])
    /// A sentence or more.
    case note(String)
    /// Rows in the layout of /proc/interrupts.
    case interrupts(InterruptTable)
    /// Other rows and columns.
    case table(Table)
    /// Values over time.
    case series(Series)
    /// A drawing.
    case plot(Plot)

    /// Whether it is a drawing.
    public var isPlot: Bool {
      if case .plot = self { true } else { false }
    }
  }

  /// Values over equal spans of time, to be drawn.
  public struct Series: Sendable {
    /// What they are.
    public var name: String
    /// None is negative.
    public var values: [Int]
    /// Where the spans begin and how long they are.
    public var caption: String
    /// Whether a drawing of the same section shows them too: forms that draw leave them out.
    public var isPlotted = false

    /// A series.
    public init(name: String, values: [Int], caption: String) {
      self.name = name
      self.values = values
      self.caption = caption
    }
  }

  /// Rows and columns.
  public struct Table: Sendable {
    /// Column titles; the first column is text, the others are numbers.
    public var columns: [String]
    /// Cells, one row each, as many as columns.
    public var rows: [[String]]

    /// A table.
    public init(columns: [String], rows: [[String]]) {
      self.columns = columns
      self.rows = rows
    }
  }
}

extension UInt64 {
  /// With a comma before every third digit: `1,357,543,886`.
  var grouped: String {
    let digits = Array(String(self))
    var text = ""
    for (index, digit) in digits.enumerated() {
      if index > 0, (digits.count - index) % 3 == 0 { text.append(",") }
      text.append(digit)
    }
    return text
  }
}

extension Int64 {
  /// With a comma before every third digit and its sign.
  var grouped: String { (self < 0 ? "-" : "") + magnitude.grouped }
}
