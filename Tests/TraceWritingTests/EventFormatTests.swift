import Foundation
import Testing
import TraceEvents
import TraceWriting

@Suite struct EventFormatTests {
  private static let folder = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .appendingPathComponent("Traces/formats/format-a")

  @Test func everyTracepointHasOneFormatWithItsOwnId() {
    let formats = EventFormat.builtIn
    #expect(Set(formats.map(\.kind)) == Set(EventKind.allCases))
    #expect(formats.count == EventKind.allCases.count)
    #expect(Set(formats.map(\.id)).count == formats.count)
  }

  @Test func everyWantedFieldIsInItsFormat() {
    for format in EventFormat.builtIn {
      let names = format.fields.map(\.name)
      for field in Tracepoint.of(format.kind).fields {
        let base = String(field.name.prefix { $0 != "[" })
        // A batched free is one page: the kernel prints order=0 without a field.
        if format.kind == .pageFreeBatched && base == "order" { continue }
        #expect(
          ([base] + field.aliases).contains { names.contains($0) },
          "\(format.name) has no \(field.name)")
      }
    }
  }

  @Test func textsAreTheKernelsOwn() throws {
    let files = try FileManager.default.contentsOfDirectory(atPath: Self.folder.path)
    try #require(files.count >= 20)
    for file in files {
      let text = try String(
        contentsOf: Self.folder.appendingPathComponent(file), encoding: .utf8)
      let parts = file.split(separator: ".", maxSplits: 1)
      let format = try #require(
        EventFormat.builtIn.first { $0.system == parts[0] && $0.name == parts[1] })
      // The kernel spells gfp flags as C expressions; numbers stand here.
      let isSpelledOut = text.contains("gfp_t)(")
      #expect(isSpelledOut ? head(format.text) == head(text) : format.text == text, "\(file)")
    }
  }

  private func head(_ text: String) -> Substring {
    text.firstRange(of: "print fmt:").map { text[..<$0.lowerBound] } ?? text[...]
  }
}
