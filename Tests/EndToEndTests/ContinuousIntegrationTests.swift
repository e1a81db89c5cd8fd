import Foundation
import Testing
import TraceBuilding

/// The snippets of `Tools/ci`, run as their systems would: same shell lines, the built tool where they
/// build it.
@Suite struct ContinuousIntegrationTests {
  private static let folder = Fixture.root.appending(path: "Tools/ci")

  private func text(_ name: String) throws -> String {
    try String(contentsOf: Self.folder.appending(path: name), encoding: .utf8)
  }

  /// A project with two captures and baselines beside them, shims for what fetches and builds, and
  /// the variables that the systems set.
  private func project(_ body: (URL, [String: String]) throws -> Void) throws {
    let manager = FileManager.default
    let folder = manager.temporaryDirectory.appending(path: UUID().uuidString)
    defer { try? manager.removeItem(at: folder) }
    let project = folder.appending(path: "project")
    for name in ["project/captures", "project/runs", "shims", "temp"] {
      try manager.createDirectory(
        at: folder.appending(path: name), withIntermediateDirectories: true)
    }
    for (name, capture) in [
      ("captures/small", "small-4/0.1"), ("captures/burst", "burst-16/0.1"),
      ("runs/1", "small-4/0.1"), ("runs/2", "small-4/v10.1"),
    ] {
      try manager.createSymbolicLink(
        at: project.appending(path: name),
        withDestinationURL: Fixture.traces.appending(path: "luf-pairs/\(capture)"))
    }
    try shim(folder, "git", Self.git)
    try shim(folder, "swift", "[ \"$1\" = build ] || exit 1\necho \"$@\" >> \"$LOG\"\n")
    let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
    try body(
      project,
      [
        "PATH": "\(folder.path)/shims:\(Tool.executable.deletingLastPathComponent().path):\(path)",
        "BUILT": Tool.executable.path, "LOG": "\(folder.path)/log",
        "RUNNER_TEMP": "\(folder.path)/temp", "GITHUB_PATH": "\(folder.path)/github-path",
        "GITHUB_STEP_SUMMARY": "\(folder.path)/summary.md", "TLBREPLAY_SOURCE": "/nowhere",
      ])
  }

  /// A clone that holds an empty `Tools/setup`, and the tool where a release build leaves it.
  private static let git = """
    [ "$1" = clone ] || exit 1
    for last; do :; done
    mkdir -p "$last/Sources" "$last/Tools" "$last/.build/release"
    printf '#!/bin/sh\\nexit 0\\n' > "$last/Tools/setup"
    chmod +x "$last/Tools/setup"
    ln -s "$BUILT" "$last/.build/release/tlbreplay"
    echo "git $@" >> "$LOG"

    """

  private func shim(_ folder: URL, _ name: String, _ lines: String) throws {
    let file = folder.appending(path: "shims/\(name)")
    try "#!/bin/sh\n\(lines)".write(to: file, atomically: true, encoding: .utf8)
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: file.path)
  }

  private func run(
    _ lines: String, in project: URL, _ environment: [String: String]
  ) throws -> Tool.Run {
    let shell = try #require(ExternalTool("sh"))
    return try shell.run(["-e", "-c", lines], in: project, environment: environment)
  }

  /// The text of every block behind `key` with the block's own indentation taken away.
  private func blocks(_ text: String, _ key: String) -> [String] {
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    func indent(_ line: String) -> Int { line.prefix { $0 == " " }.count }
    return lines.indices.filter { lines[$0].trimmingCharacters(in: .whitespaces) == key }.map {
      start in
      let inner = lines[(start + 1)...].prefix {
        $0.allSatisfy { $0 == " " } || indent($0) > indent(lines[start])
      }
      let margin = inner.first.map(indent) ?? 0
      return inner.map { String($0.dropFirst(margin)) }.joined(separator: "\n")
        .trimmingCharacters(in: .newlines) + "\n"
    }
  }

  @Test func theGitHubWorkflowRunsAsWritten() throws {
    let steps = blocks(try text("github-actions.yml"), "run: |")
    #expect(steps.count == 2)
    try project { project, environment in
      try baselines(project, environment)
      for expected in [Int32(0), 1] {
        var environment = environment
        environment["RUNNER_TEMP"] = (environment["RUNNER_TEMP"] ?? "") + "/\(expected)"
        let built = try run(steps[0], in: project, environment)
        #expect(built.exitCode == 0, "\(built.errors)")
        let added = try String(contentsOfFile: environment["GITHUB_PATH"] ?? "", encoding: .utf8)
        environment["PATH"] =
          added.split(separator: "\n").reversed().joined(separator: ":") + ":"
          + (environment["PATH"] ?? "")
        let checked = try run(steps[1], in: project, environment)
        #expect(checked.exitCode == expected, "\(checked.errors)")
        #expect(
          checked.output.contains("::error file=captures/small.baseline.json,line=")
            == (expected == 1))
        try regress(project)
      }
      let summary = try String(
        contentsOfFile: environment["GITHUB_STEP_SUMMARY"] ?? "", encoding: .utf8)
      #expect(summary.contains("2 unchanged") && summary.contains("1 regressed"))
      try filesAreThere(project)
    }
  }

  @Test func theGitLabJobRunsAsWritten() throws {
    let text = try text("gitlab-ci.yml")
    let lines = (blocks(text, "before_script:") + blocks(text, "script:")).joined()
      .split(separator: "\n").map { String($0.dropFirst(2)) }
    #expect(lines.count == 4 && lines.allSatisfy { !$0.hasPrefix(" ") })
    try project { project, environment in
      try baselines(project, environment)
      for expected in [Int32(0), 1] {
        let made = try run(lines.joined(separator: "\n"), in: project, environment)
        #expect(made.exitCode == expected, "\(made.errors)")
        try regress(project)
      }
      // The second time the clone was there already.
      let log = try String(contentsOfFile: environment["LOG"] ?? "", encoding: .utf8)
      #expect(log.split(separator: "\n").filter { $0.hasPrefix("git clone") }.count == 1)
      #expect(log.contains("--product tlbreplay"))
      try filesAreThere(project)
    }
  }

  /// What the page tells to type works in its order.
  @Test func thePageRunsAsWritten() throws {
    let page = try text("README.md")
    let parts = page.components(separatedBy: "```sh\n").dropFirst()
    let shell = parts.compactMap { $0.components(separatedBy: "```").first }
    #expect(shell.count == 3)
    try project { project, environment in
      for block in shell {
        let lines = block.split(separator: "\n").filter { !$0.hasPrefix("git ") }
        let made = try run(lines.joined(separator: "\n"), in: project, environment)
        #expect(made.exitCode == 0, "\(made.errors)")
      }
    }
  }

  /// Where there is a YAML reader, it sees the lines that were run here.
  @Test(arguments: ["github-actions.yml", "gitlab-ci.yml"])
  func theFilesAreYAML(_ name: String) throws {
    let text = try text(name)
    for line in text.split(separator: "\n") {
      #expect(!line.contains("\t") && line.count <= 100, "\(line)")
      #expect(line.prefix { $0 == " " }.count % 2 == 0, "\(line)")
    }
    guard let python = ExternalTool("python3") else { return }
    let script =
      "import json, sys, yaml; print(json.dumps(yaml.safe_load(open(sys.argv[1])), sort_keys=True))"
    let file = Self.folder.appending(path: name).path
    guard try python.run(["-c", "import yaml"]).exitCode == 0 else { return }
    // "on" is a truth value in YAML 1.1, which json.dumps cannot sort beside texts.
    let read = try python.run(["-c", script.replacing(", sort_keys=True", with: ""), file])
    #expect(read.exitCode == 0, "\(read.errors)")
    let document = try read.json()
    if name == "github-actions.yml" {
      let steps = document["jobs"]["check"]["steps"].elements.compactMap { $0["run"].text }
      #expect(steps == blocks(text, "run: |"))
    } else {
      let job = document["shootdowns"]
      let lines = (job["before_script"].elements + job["script"].elements).compactMap(\.text)
      #expect(lines.count == 4)
      #expect(lines.allSatisfy { text.contains("    - \($0)\n") })
    }
  }

  private func baselines(_ project: URL, _ environment: [String: String]) throws {
    let made = try run("tlbreplay baseline captures --each", in: project, environment)
    #expect(made.exitCode == 0, "\(made.errors)")
  }

  private func regress(_ project: URL) throws {
    let file = project.appending(path: "captures/small.baseline.json")
    let text = try String(contentsOf: file, encoding: .utf8)
    try text.replacing("\"value\": 907}", with: "\"value\": 800}").write(
      to: file, atomically: true, encoding: .utf8)
  }

  private func filesAreThere(_ project: URL) throws {
    for name in ["check.xml", "check.ktap"] {
      let text = try String(contentsOf: project.appending(path: name), encoding: .utf8)
      #expect(text.contains("luf-v10.tlb_row"), "\(name)")
    }
  }
}
