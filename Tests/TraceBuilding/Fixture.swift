public import Foundation

/// The real traces that the tests read, and the larger set beside the checkout where there is one.
public enum Fixture {
  /// The top of the checkout.
  public static let root = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent()

  /// `Traces/` of the checkout.
  public static let traces = root.appending(path: "Traces")

  /// A file or directory under `Traces/`.
  public static func path(_ name: String) -> String { traces.appending(path: name).path }

  /// The directories that hold `name`: the bundled one, and the larger set where it is there.
  public static func directories(_ name: String) -> [URL] {
    let larger = root.deletingLastPathComponent().appending(path: "shared/traces")
    return [traces, larger].map { $0.appending(path: name) }
      .filter { FileManager.default.fileExists(atPath: $0.path) }
  }

  /// Names of the files in `Traces/formats` that begin with `prefix` and have an answer key.
  public static func keyed(_ prefix: String) -> [String] {
    let names =
      (try? FileManager.default.contentsOfDirectory(atPath: path("formats"))) ?? []
    return names.filter { $0.hasPrefix(prefix) && $0.hasSuffix(".key.json") }
      .map { String($0.dropLast(".key.json".count)) }.sorted()
  }
}
