import ArgumentParser
import Machine
import TraceFiles

#if canImport(Glibc)
  import Glibc
#endif

/// Values of the options that TLB misses are predicted with.
enum MissOptions {
  /// `N` or `A-B`, such as `2.5e9` or `1e9-4e9`; nil is the default range.
  static func rate(_ text: String?) throws -> ParameterRange {
    guard let text else { return MissModel.accessesPerSecondDefault }
    let parts = text.split(separator: "-", omittingEmptySubsequences: false).map {
      Double(String($0))
    }
    let numbers = parts.compactMap(\.self).filter { $0 >= 1 && $0 <= 1e12 }
    guard numbers.count == parts.count, numbers.count <= 2, let first = numbers.first,
      let last = numbers.last, first <= last
    else {
      throw ValidationError(
        "--accesses-per-second takes a number or a range of 1 to 1e12: 2.5e9 or 1e9-4e9")
    }
    // The middle of a range of magnitudes.
    return ParameterRange(
      (first * last).squareRoot(), lower: first, upper: last, source: "--accesses-per-second",
      confidence: .medium)
  }

  /// Walks by class (raw value) from `LOAD,STORE,FETCH`.
  static func walks(_ text: String?) throws -> [Double]? {
    guard let text else { return nil }
    let numbers = text.split(separator: ",", omittingEmptySubsequences: false).map {
      UInt64(String($0)).map { Double($0) }
    }
    let found = numbers.compactMap(\.self)
    guard found.count == 3, numbers.count == 3 else {
      throw ValidationError(
        "--measured-walks takes three whole numbers: dTLB-load-misses,dTLB-store-misses,iTLB-load-misses"
      )
    }
    return [found[2], found[0], found[1]]
  }

  /// Reads a profile.
  static func profile(_ path: String) throws -> ReuseProfile {
    let bytes = try contents(path)
    do throws(ReuseProfileError) {
      return try ReuseProfile(text: bytes)
    } catch {
      throw TraceError("is no profile: \(error.message)", at: error.offset, file: path)
    }
  }

  private static func contents(_ path: String) throws -> [UInt8] {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else {
      throw TraceError("cannot be opened: \(String(cString: strerror(errno)))", file: path)
    }
    defer { close(descriptor) }
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while bytes.count <= ReuseProfile.sizeMax {
      let got = read(descriptor, &buffer, buffer.count)
      if got == 0 { break }
      if got < 0 {
        if errno == EINTR { continue }
        throw TraceError("cannot be read: \(String(cString: strerror(errno)))", file: path)
      }
      bytes += buffer[..<got]
    }
    return bytes
  }
}
