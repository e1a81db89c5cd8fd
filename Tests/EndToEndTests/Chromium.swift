import Foundation

/// The stock browser, run without a window and without a network.
struct Chromium {
  let path: String

  /// Nil where none is installed; `Tools/setup --test` installs it.
  static let installed: Chromium? = {
    let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
    for name in ["chromium", "chromium-browser", "google-chrome"] {
      for folder in folders {
        let path = "\(folder)/\(name)"
        if FileManager.default.isExecutableFile(atPath: path) { return Chromium(path: path) }
      }
    }
    return nil
  }()

  /// What it says of a page: the document after scripts have run, and its log with what pages wrote to
  /// the console.
  func dump(_ page: URL, isDark: Bool = false, in scratch: URL) throws -> (
    document: String, log: String, status: Int32
  ) {
    let output = scratch.appending(path: "document-\(UUID().uuidString)")
    let log = scratch.appending(path: "log-\(UUID().uuidString)")
    for file in [output, log] { try Data().write(to: file) }
    let process = Process()
    process.executableURL = URL(filePath: path)
    process.arguments = [
      "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
      "--disable-background-networking", "--disable-component-update", "--disable-sync",
      "--host-resolver-rules=MAP * ~NOTFOUND", "--enable-logging=stderr", "--log-level=0",
      "--hide-scrollbars", "--window-size=1600,1200", "--virtual-time-budget=20000",
      "--user-data-dir=\(scratch.appending(path: "profile").path)",
      "--blink-settings=preferredColorScheme=\(isDark ? 0 : 1)", "--dump-dom",
      page.absoluteString,
    ]
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = try FileHandle(forWritingTo: output)
    process.standardError = try FileHandle(forWritingTo: log)
    try process.run()
    let deadline = Date(timeIntervalSinceNow: 120)
    while process.isRunning, Date() < deadline { usleep(5000) }
    if process.isRunning { process.terminate() }
    process.waitUntilExit()
    return (
      String(decoding: try Data(contentsOf: output), as: UTF8.self),
      String(decoding: try Data(contentsOf: log), as: UTF8.self), process.terminationStatus
    )
  }
}
