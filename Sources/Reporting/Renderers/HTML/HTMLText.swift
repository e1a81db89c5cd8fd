/// Text as HTML, whatever it holds.
enum HTMLText {
  /// `text` for content and for attributes in double quotes.
  ///
  /// Characters that are not allowed in HTML, and those that turn the writing direction, which can
  /// make a line read as another, become U+FFFD.
  static func escaped(_ text: String) -> String {
    var result = ""
    result.reserveCapacity(text.utf8.count)
    for scalar in text.unicodeScalars {
      switch scalar {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "\"": result += "&quot;"
      case "'": result += "&#39;"
      case "\n", "\t": result.unicodeScalars.append(scalar)
      default:
        result.unicodeScalars.append(isUnfit(scalar.value) ? "\u{FFFD}" : scalar)
      }
    }
    return result
  }

  private static func isUnfit(_ value: UInt32) -> Bool {
    switch value {
    case 0..<0x20, 0x7f..<0xa0, 0x202a...0x202e, 0x2066...0x2069, 0xfdd0...0xfdef: true
    default: value & 0xfffe == 0xfffe
    }
  }

  private static let grades = ["[measured", "[derived", "[modelled"]

  /// `text` with what stands in brackets as a grade made into a label.
  static func graded(_ text: String) -> String {
    var result = ""
    var rest = Substring(text)
    while let bracket = rest.firstIndex(of: "[") {
      result += prose(rest[..<bracket])
      rest = rest[bracket...]
      guard let grade = grades.first(where: { rest.hasPrefix($0) }),
        let end = rest.firstIndex(of: "]")
      else {
        result += "["
        rest = rest.dropFirst()
        continue
      }
      result += label(String(rest[rest.index(after: rest.startIndex)..<end]), grade)
      rest = rest[rest.index(after: end)...]
    }
    return result + prose(rest)
  }

  /// Options of the command line, which no line must break.
  private static func prose(_ text: Substring) -> String {
    var result = ""
    var rest = text
    while let option = rest.firstRange(of: "--") {
      result += escaped(String(rest[..<option.lowerBound]))
      let name = rest[option.upperBound...].prefix {
        $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-")
      }
      if name.isEmpty {
        result += "--"
      } else {
        result += "<code>--\(escaped(String(name)))</code>"
      }
      rest = rest[name.endIndex...]
    }
    return result + escaped(String(rest))
  }

  /// A grade by itself: `derived`, `modelled: luf-v10`.
  static func grade(_ text: String) -> String {
    label(text, grades.first { text.hasPrefix($0.dropFirst()) } ?? grades[2])
  }

  private static func label(_ text: String, _ grade: String) -> String {
    "<span class=\"grade \(grade.dropFirst())\">\(escaped(text))</span>"
  }

  /// `text` as the fragment of an address: ASCII letters, digits and hyphens.
  static func slug(_ text: String) -> String {
    var result = ""
    for byte in text.utf8.prefix(80) {
      let isPlain =
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
        || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
      if isPlain {
        let isUpper = (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte)
        result.unicodeScalars.append(UnicodeScalar(isUpper ? byte | 0x20 : byte))
      } else if !result.isEmpty, !result.hasSuffix("-") {
        result += "-"
      }
    }
    while result.hasSuffix("-") { result.removeLast() }
    return result
  }
}
