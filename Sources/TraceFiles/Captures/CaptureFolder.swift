#if canImport(Glibc)
  import Glibc
#endif

/// A directory whose children are captures.
public struct CaptureFolder: Sendable {
  /// Names of the children that hold a trace, ascending.
  public private(set) var captures: [String] = []
  /// Names of child directories that hold none, ascending.
  public private(set) var others: [String] = []
  /// Names of children that are regular files, ascending.
  public private(set) var files: [String] = []

  /// The folder at `path`; nil if that is no directory, or a capture itself.
  public init?(_ path: String) {
    guard Self.kind(path) == S_IFDIR, !Self.holdsTrace(path) else { return nil }
    let base = path.hasSuffix("/") ? path : path + "/"
    for name in CaptureDirectory.names(in: path).sorted() where !name.hasPrefix(".") {
      switch Self.kind(base + name) {
      case S_IFDIR where Self.holdsTrace(base + name): captures.append(name)
      case S_IFDIR: others.append(name)
      case S_IFREG: files.append(name)
      default: break
      }
    }
  }

  private static func kind(_ path: String) -> mode_t {
    var status = stat()
    return stat(path, &status) == 0 ? status.st_mode & S_IFMT : 0
  }

  private static func holdsTrace(_ path: String) -> Bool {
    CaptureDirectory.isPerfDirectory(path)
      || CaptureDirectory.traceName(CaptureDirectory.names(in: path)) != nil
  }
}
