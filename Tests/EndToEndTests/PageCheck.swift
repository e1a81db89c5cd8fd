import Foundation

/// Looks at pages in the browser, at several widths at once, and says what is wrong with each.
enum PageCheck {
  /// How a page is looked at: in a frame so wide, or as paper of A4 with ordinary margins.
  enum View: Hashable {
    case screen(Int)
    case paper

    var width: Int {
      switch self {
      case .screen(let width): width
      case .paper: 718
      }
    }

    var name: String {
      switch self {
      case .screen(let width): "\(width)"
      case .paper: "paper"
      }
    }
  }

  /// What was found of each page in each view: name of page and view, then a line for each fault.
  static func faults(
    _ pages: [(name: String, text: String)], _ views: [View], isDark: Bool, _ browser: Chromium
  ) throws -> (found: [String: [String]], log: String) {
    let scratch = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    try FileManager.default.createDirectory(at: scratch, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: scratch) }
    var frames = ""
    for (index, page) in pages.enumerated() {
      for view in views {
        let file = scratch.appending(path: "\(index)-\(view.name).html")
        try copy(page.text, view, "\(page.name) \(view.name)", isDark)
          .write(to: file, atomically: true, encoding: .utf8)
        frames +=
          "<iframe src=\"\(file.lastPathComponent)\" width=\"\(view.width)\" height=\"900\" "
          + "style=\"border:0\"></iframe>\n"
      }
    }
    let collector = scratch.appending(path: "all.html")
    try """
    <!DOCTYPE html><meta charset="utf-8"><pre id="found"></pre><script>
    window.addEventListener("message", event => {
      document.getElementById("found").textContent += event.data + "\\n";
    });
    </script>
    \(frames)
    """.write(to: collector, atomically: true, encoding: .utf8)
    let run = try browser.dump(collector, isDark: isDark, in: scratch)
    return (parse(run.document), run.log)
  }

  /// What the browser writes to its console about a page as it is.
  static func complaints(_ text: String, _ browser: Chromium) throws -> [String] {
    let scratch = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    try FileManager.default.createDirectory(at: scratch, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: scratch) }
    let file = scratch.appending(path: "page.html")
    try text.write(to: file, atomically: true, encoding: .utf8)
    let run = try browser.dump(file, in: scratch)
    let lines = run.log.split(separator: "\n").map(String.init).filter { $0.contains("CONSOLE") }
    return run.document.contains("<main>") ? lines : lines + ["the page was not shown"]
  }

  private static func parse(_ document: String) -> [String: [String]] {
    var found: [String: [String]] = [:]
    let text = document.components(separatedBy: "<pre id=\"found\">").last ?? ""
    for line in text.components(separatedBy: "</pre>")[0].split(separator: "\n") {
      let parts = line.split(separator: "|", maxSplits: 1, omittingEmptySubsequences: false)
      guard parts.count == 2 else { continue }
      found[String(parts[0]), default: []] += parts[1].isEmpty ? [] : [String(parts[1])]
    }
    return found
  }

  /// The page with a script that measures it; as it is it lets none run.
  private static func copy(_ text: String, _ view: View, _ name: String, _ isDark: Bool) -> String {
    var lines = text.components(separatedBy: "\n").filter {
      !$0.contains("http-equiv=\"Content-Security-Policy\"")
    }
    if view == .paper { lines = lines.map { $0.replacing("@media print", with: "@media all") } }
    let start = """
      <script>var faults = [];
      window.onerror = message => { faults.push("script error: " + message); };</script>
      """
    let end = """
      <script>const pageName = "\(name)", isDark = \(isDark), isPaper = \(view == .paper);
      const wanted = \(view.width);
      \(script)</script>
      """
    return lines.joined(separator: "\n").replacing(
      "<head>", with: "<head>\(start)", maxReplacements: 1
    )
    .replacing("</body>", with: "\(end)</body>")
  }

  private static let script = #"""
    function fault(text) { if (faults.length < 20) faults.push(text.replace(/\s+/g, " ")); }
    function say(element) {
      return element.tagName + "." + (element.getAttribute("class") || "") + " " +
        element.textContent.slice(0, 40);
    }
    function channels(color) {
      const numbers = color.match(/[\d.]+/g).map(Number);
      return numbers.length < 4 ? numbers.concat([1]) : numbers;
    }
    function luminance(color) {
      const [r, g, b] = color.map(value => {
        value /= 255;
        return value <= 0.03928 ? value / 12.92 : Math.pow((value + 0.055) / 1.055, 2.4);
      });
      return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    }
    function background(element) {
      for (let at = element; at; at = at.parentElement) {
        const color = channels(getComputedStyle(at).backgroundColor);
        if (color[3] > 0) return color;
      }
      return [255, 255, 255, 1];
    }
    function checkContrast(element, color, under) {
      const [a, b] = [luminance(channels(color)), luminance(under)];
      const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
      if (ratio < 4.5) fault("contrast " + ratio.toFixed(2) + ": " + say(element));
    }
    function checkText() {
      for (const element of document.querySelectorAll("body *")) {
        const owns = [...element.childNodes].some(
          node => node.nodeType == 3 && node.textContent.trim());
        if (!owns || element.closest("script, svg") || !element.getClientRects().length) continue;
        checkContrast(element, getComputedStyle(element).color, background(element));
      }
      for (const text of document.querySelectorAll("svg text")) {
        const fill = getComputedStyle(text).fill;
        if (!text.matches(".letter, .frame")) checkContrast(text, fill, background(text));
      }
      for (const frame of document.querySelectorAll(".flame, .part")) {
        const letter = document.createElementNS("http://www.w3.org/2000/svg", "text");
        letter.setAttribute("class", frame.matches(".flame") ? "frame" : "letter");
        frame.parentElement.append(letter);
        checkContrast(frame, getComputedStyle(letter).fill,
          channels(getComputedStyle(frame).fill));
        letter.remove();
      }
    }
    function checkWidths() {
      if (innerWidth != wanted) fault("shown at " + innerWidth);
      const width = document.documentElement.scrollWidth;
      if (width > innerWidth) fault("the page is " + width + " wide");
      for (const element of document.querySelectorAll("body *")) {
        if (element.closest("script") || (!isPaper && element.closest(".scroll > *"))) continue;
        const box = element.getBoundingClientRect();
        if (box.width && box.right > innerWidth + 0.5) {
          fault("ends at " + box.right.toFixed(1) + ": " + say(element));
        }
        if (box.width && box.left < -0.5) fault("begins before the page: " + say(element));
      }
    }
    function checkDrawings() {
      const pictures = document.querySelectorAll("svg[role=img]");
      for (const svg of pictures) {
        const [left, top, width, height] = svg.getAttribute("viewBox").split(" ").map(Number);
        const words = (svg.getAttribute("aria-labelledby") || "").split(" ").map(
          id => document.getElementById(id));
        if (words.length != 2 || words.some(word => !word || !word.textContent.trim())) {
          fault("no text alternative: " + say(svg));
        }
        const boxes = [];
        for (const text of svg.querySelectorAll("text")) {
          const box = text.getBBox();
          boxes.push([text, box]);
          if (box.x < left - 0.5 || box.y < top - 0.5 || box.x + box.width > width + 0.5 ||
            box.y + box.height > height + 0.5) {
            fault("text leaves its drawing: " + say(text));
          }
        }
        for (let i = 0; i < boxes.length; i++) {
          for (let j = i + 1; j < boxes.length; j++) {
            const [a, b] = [boxes[i][1], boxes[j][1]];
            if (a.x + 1 < b.x + b.width && b.x + 1 < a.x + a.width &&
              a.y + 3 < b.y + b.height && b.y + 3 < a.y + a.height) {
              fault("text over text: " + say(boxes[i][0]) + " and " + say(boxes[j][0]));
            }
          }
        }
        const figure = svg.closest("figure");
        if (!figure || !figure.querySelector("details table")) fault("no table: " + say(svg));
      }
    }
    function checkStructure() {
      let level = 0;
      for (const heading of document.querySelectorAll("h1, h2, h3, h4")) {
        const next = Number(heading.tagName[1]);
        if (next > level + 1) fault("heading out of order: " + say(heading));
        level = next;
      }
      const ids = [...document.querySelectorAll("[id]")].map(element => element.id);
      if (new Set(ids).size != ids.length) fault("an id twice");
      for (const link of document.querySelectorAll("nav a")) {
        if (!document.getElementById(decodeURIComponent(link.hash.slice(1)))) {
          fault("link to nowhere: " + say(link));
        }
      }
      if (!document.documentElement.lang) fault("no language");
      if (performance.getEntriesByType("resource").length) fault("something was fetched");
      if (document.querySelectorAll("script").length != 2) fault("a script of its own");
      if (document.querySelectorAll("img, iframe, object, embed, audio, video").length) {
        fault("embedded content");
      }
      if (!isPaper && matchMedia("(prefers-color-scheme: dark)").matches != isDark) {
        fault("shown in the other colours");
      }
    }
    window.addEventListener("load", () => {
      document.querySelectorAll("details").forEach(element => { element.open = true; });
      try { checkWidths(); checkDrawings(); checkText(); checkStructure(); }
      catch (error) { fault("the check failed: " + error); }
      if (!faults.length) faults.push("");
      for (const text of faults) parent.postMessage(pageName + "|" + text, "*");
    });
    """#
}
