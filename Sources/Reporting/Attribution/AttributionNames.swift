public import TraceEvents

/// What the numbers of an attribution are called: threads, processes, functions.
public struct AttributionNames {
  /// The name of a thread; nil where the trace does not tell.
  public var task: (Int32) -> String?
  /// The thread group of a thread; nil where the trace does not tell.
  public var group: (Int32) -> Int32?
  /// The kernel function of a frame; hexadecimal where no symbol covers it.
  public var kernel: (UInt64) -> String
  /// The function of a user frame of a process at a time; hexadecimal likewise.
  public var user: (_ frame: UInt64, _ process: Int32, _ time: UInt64) -> String
  /// The call chains.
  public var chains: CallChains
  /// Where names of functions come from, for the reader: a sentence each.
  public var sources: () -> [String]

  /// Names from a trace alone.
  public init(
    _ directory: EventDirectory, chains: CallChains? = nil,
    kernel: @escaping (UInt64) -> String = { "0x" + String($0, radix: 16) },
    user: @escaping (UInt64, Int32, UInt64) -> String = { frame, _, _ in
      "0x" + String(frame, radix: 16)
    }, sources: @escaping () -> [String] = { [] }
  ) {
    task = { directory.taskName($0) }
    group = { directory.taskGroup($0) }
    self.chains = chains ?? directory.callChains
    self.kernel = kernel
    self.user = user
    self.sources = sources
  }

  /// The name of a thread for people: `comm`, `idle`, `unknown`.
  func comm(_ task: Int32) -> String {
    if task == 0 { return "idle" }
    return self.task(task).map(Self.printable) ?? "unknown"
  }

  /// A name in which nothing can move a terminal's cursor.
  static func printable(_ name: String) -> String {
    guard name.unicodeScalars.contains(where: { $0.value < 0x20 || 0x7f...0x9f ~= $0.value })
    else { return name }
    return String(
      String.UnicodeScalarView(
        name.unicodeScalars.map { $0.value < 0x20 || 0x7f...0x9f ~= $0.value ? "\u{fffd}" : $0 }))
  }
}

/// Call paths by the names of their functions, each distinct one once.
///
/// Chains that differ in addresses only are one path here, so that sums of paths are those of
/// chains.
struct NamedPaths {
  private(set) var paths = CallChains()
  private(set) var words: [String] = []
  private var numbers: [String: UInt64] = [:]
  private let names: AttributionNames
  /// By kernel chain, computed when first asked for.
  private var kernelPaths: [UInt32: UInt32] = [:]
  private var kernelNames: [UInt64: UInt64] = [:]
  private struct UserKey: Hashable {
    var process: Int32
    var frame: UInt64
  }
  private var userNames: [UserKey: UInt64] = [:]

  init(_ names: AttributionNames) { self.names = names }

  /// The functions of a path, the innermost first.
  func functions(_ path: UInt32) -> [String] { paths.frames(path).map { words[Int($0)] } }

  func has(_ function: String, _ path: UInt32) -> Bool {
    guard let number = numbers[function] else { return false }
    var at = path
    while at != CallChains.none {
      if paths.frame(at) == number { return true }
      at = paths.caller(at)
    }
    return false
  }

  mutating func kernel(_ chain: UInt32) -> UInt32 {
    if let known = kernelPaths[chain] { return known }
    var path: [UInt64] = []
    for frame in names.chains.frames(chain) { path.append(kernelName(frame)) }
    let found = paths.add(path)
    kernelPaths[chain] = found
    return found
  }

  mutating func user(_ chain: UInt32, process: Int32, time: UInt64) -> UInt32 {
    var path: [UInt64] = []
    for frame in names.chains.frames(chain) {
      let key = UserKey(process: process, frame: frame)
      if let known = userNames[key] {
        path.append(known)
      } else {
        let number = number(of: names.user(frame, process, time))
        userNames[key] = number
        path.append(number)
      }
    }
    return paths.add(path)
  }

  private mutating func kernelName(_ frame: UInt64) -> UInt64 {
    if let known = kernelNames[frame] { return known }
    let number = number(of: names.kernel(frame))
    kernelNames[frame] = number
    return number
  }

  private mutating func number(of name: String) -> UInt64 {
    let name = AttributionNames.printable(name)
    if let known = numbers[name] { return known }
    let number = UInt64(words.count)
    words.append(name)
    numbers[name] = number
    return number
  }
}
