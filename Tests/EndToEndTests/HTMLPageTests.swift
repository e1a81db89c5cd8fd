import Foundation
import Testing
import TraceBuilding

/// Pages of real reports as the browser shows them.
@Suite(
  .enabled(
    if: Chromium.installed != nil, "chromium is not installed: Tools/setup --test installs it"),
  .serialized)
struct HTMLPageTests {
  private static let commands = [
    ("report", ["report", "luf-pairs/small-4/0.1"]),
    (
      "policies",
      [
        "report", "--bounds", "--policy", "luf-v10", "--policy", "luf-v11", "--policy", "latr",
        "--policy", "luf-v10-as-posted", "luf-pairs/burst-16/0.1",
      ]
    ),
    ("unplaced", ["report", "captures/ft-4cpu-anon-move"]),
    ("stat", ["stat", "captures/tc-4cpu-churn-v6"]),
    ("damaged", ["stat", "formats/td-a-DAMAGED-truncated-v7-zstd.dat"]),
    ("info", ["info", "captures/tc-4cpu-churn-v6"]),
    ("compare", ["compare", "letter/letter-data.json"]),
    ("catalogue", ["policies"]), ("machine", ["machines", "zen-4"]),
  ]

  private static func page(_ arguments: [String]) throws -> String {
    let run = try Tool.run(arguments + ["--format", "html"])
    #expect(run.exitCode == 0, "\(run.errors)")
    return run.output
  }

  @Test(arguments: [false, true])
  func nothingOverflowsOrFails(isDark: Bool) throws {
    let browser = try #require(Chromium.installed)
    let pages = try Self.commands.map { (name: $0.0, text: try Self.page($0.1)) }
    let views: [PageCheck.View] = [.screen(360), .screen(800), .screen(1400), .paper]
    let (found, log) = try PageCheck.faults(pages, views, isDark: isDark, browser)
    for page in pages {
      for view in views {
        let faults = found["\(page.name) \(view.name)"]
        #expect(faults != nil, "\(page.name) \(view.name) was not checked: \(log.suffix(2000))")
        for fault in faults ?? [] { Issue.record("\(page.name) \(view.name): \(fault)") }
      }
    }
  }

  /// The check finds what it looks for: a page with one fault of each kind.
  @Test func aBrokenPageIsFound() throws {
    let browser = try #require(Chromium.installed)
    let good = try Self.page(["stat", "captures/tc-4cpu-churn-v6"])
    let broken = good.replacing(
      "</main>",
      with: """
        <div style="width:3000px">wide</div><h4>deep</h4><p style="color:#bbb">pale</p>
        <svg role="img" viewBox="0 0 100 20"><text x="90" y="12">leaves it</text></svg>
        <script>undefinedFunction()</script><img src="nowhere.png" alt=""></main>
        """)
    let (found, _) = try PageCheck.faults(
      [(name: "broken", text: broken)], [.screen(800)], isDark: false, browser)
    let faults = (found["broken 800"] ?? []).joined(separator: "\n")
    for kind in [
      "wide", "heading out of order", "contrast", "text leaves", "no text alternative", "no table",
      "script error", "a script of its own", "embedded content",
    ] {
      #expect(faults.contains(kind), "not found: \(kind) in \(faults)")
    }
    #expect(!(try PageCheck.complaints(broken, browser)).isEmpty)
  }

  /// Names from traces and paths stay text, and the console stays empty.
  @Test func hostileNamesStayText() throws {
    let browser = try #require(Chromium.installed)
    let scratch = FileManager.default.temporaryDirectory
      .appending(path: "\(UUID().uuidString)/<script>alert(1)<" + "%2fscript>\"'&amp;")
    try FileManager.default.createDirectory(at: scratch, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: scratch.deletingLastPathComponent()) }
    let file = scratch.appending(path: "<img src=x onerror=alert(2)>.txt")
    let lines = (0..<200).map { index in
      let task = index % 2 == 0 ? "<b>x</b>-7" : "</td><svg-8"
      let event =
        index % 5 == 0 ? "<script>alert(3)</script>" : "tlb_flush"
      return "\(task)  [00\(index % 4)] d..1.  10.00\(1000 + index): \(event): pages:-1 "
        + "reason:remote shootdown (1)"
    }
    try "# tracer: nop\n#\n\(lines.joined(separator: "\n"))\n".write(
      to: file, atomically: true, encoding: .utf8)
    for command in ["stat", "info", "report"] {
      let page = try Self.page([command, file.path])
      #expect(page.contains("&lt;script&gt;alert(1)&lt;"))
      #expect(!page.contains("<script") && !page.contains("<img") && !page.contains("<b>"))
      #expect(try PageCheck.complaints(page, browser) == [])
    }
  }

  @Test func nothingIsFetched() throws {
    for (name, arguments) in Self.commands {
      let page = try Self.page(arguments)
      for word in ["http:", "https:", "src=", "url(", "@import", "<script", "<link rel=\"styl"] {
        #expect(!page.contains(word), "\(name): \(word)")
      }
      #expect(page.utf8.count < 2 << 20)
      #expect(page == (try Self.page(arguments)), "\(name): the same bytes again")
    }
  }
}
