import Glibc

/// What a child process cost.
struct Cost {
  /// User and system time of the child and of the children that it waited for, seconds.
  var cpuSeconds: Double
  /// Most memory resident, the pages of a mapped input included, bytes.
  var residentBytes: Int
  /// Most anonymous memory resident: what the child allocated itself, bytes. Sampled.
  var anonymousBytes: Int
  /// Exit status; 128 and the signal's number if one ended it.
  var status: Int32
}

/// Runs a program to its end.
enum ChildProcess {
  /// - Parameter output: the file that gets its standard output.
  static func run(_ arguments: [String], output: String) throws -> Cost {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    posix_spawn_file_actions_addopen(&actions, 1, output, O_WRONLY | O_CREAT | O_TRUNC, 0o644)
    var words: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) }
    words.append(nil)
    defer { for word in words { free(word) } }
    var child = pid_t()
    let failure = posix_spawnp(&child, arguments[0], &actions, nil, words, environ)
    guard failure == 0 else {
      throw BenchmarkError("cannot run \(arguments[0]): \(String(cString: strerror(failure)))")
    }
    return try wait(for: child)
  }

  private static func wait(for child: pid_t) throws -> Cost {
    var status: Int32 = 0
    var usage = rusage()
    var anonymous = 0
    while true {
      let waited = wait4(child, &status, WNOHANG, &usage)
      if waited == child { break }
      guard waited == 0 || errno == EINTR else { throw BenchmarkError("wait4 fails") }
      anonymous = max(anonymous, anonymousBytes(of: child))
      usleep(2_000)
    }
    func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) / 1e6 }
    let signal = status & 0x7f
    return Cost(
      cpuSeconds: seconds(usage.ru_utime) + seconds(usage.ru_stime),
      residentBytes: usage.ru_maxrss * 1024, anonymousBytes: anonymous,
      status: signal == 0 ? (status >> 8) & 0xff : 128 + signal)
  }

  /// `RssAnon` of `/proc/PID/status`.
  private static func anonymousBytes(of child: pid_t) -> Int {
    guard let file = fopen("/proc/\(child)/status", "r") else { return 0 }
    defer { fclose(file) }
    var line = [CChar](repeating: 0, count: 256)
    while fgets(&line, Int32(line.count), file) != nil {
      let text = line.withUnsafeBufferPointer { buffer in
        buffer.baseAddress.map { String(cString: $0) } ?? ""
      }
      guard text.hasPrefix("RssAnon:") else { continue }
      return (Int(text.split(whereSeparator: { $0 == " " || $0 == "\t" })[1]) ?? 0) * 1024
    }
    return 0
  }
}

/// Why a benchmark could not run.
struct BenchmarkError: Error, CustomStringConvertible {
  let description: String

  init(_ description: String) { self.description = description }
}
