#if canImport(Glibc)
  import Glibc
#endif

/// Turns the linker's names of C++ and Swift functions into those of the source.
///
/// By the runtimes themselves: `__cxa_demangle` of libstdc++ (Itanium C++ ABI) and `swift_demangle` of
/// libswiftCore. Where a program is linked without one of them, its names stay as they are.
public enum Demangling {
  private typealias CxxFunction =
    @convention(c) (
      UnsafePointer<CChar>?, UnsafeMutablePointer<CChar>?, UnsafeMutablePointer<Int>?,
      UnsafeMutablePointer<CInt>?
    ) -> UnsafeMutablePointer<CChar>?
  private typealias SwiftFunction =
    @convention(c) (
      UnsafePointer<CChar>?, Int, UnsafeMutablePointer<CChar>?, UnsafeMutablePointer<Int>?, UInt32
    ) -> UnsafeMutablePointer<CChar>?

  private static let cxx = dlsym(nil, "__cxa_demangle").map {
    unsafeBitCast($0, to: CxxFunction.self)
  }
  private static let swift = dlsym(nil, "swift_demangle").map {
    unsafeBitCast($0, to: SwiftFunction.self)
  }

  /// Longer names stay as they are.
  public static let nameLengthMax = 4096
  /// Bytes that a demangled name may have at worst, by its length and its references.
  static let sourceLengthMax = 1 << 27

  /// The name in the source, or `name` if it is not mangled, or could become too long: each reference
  /// back to an earlier part can double a name, so that one of 300 bytes may stand for 2^60.
  public static func sourceName(_ name: String) -> String {
    guard name.utf8.count <= nameLengthMax else { return name }
    let isCxx = name.hasPrefix("_Z")
    guard isCxx || name.hasPrefix("$s") || name.hasPrefix("$S") || name.hasPrefix("_T0") else {
      return name
    }
    let bytes = Array(name.utf8)
    let references = isCxx ? cxxReferences(bytes) : swiftReferences(bytes)
    guard references < 27, bytes.count << references <= sourceLengthMax else { return name }
    var demangled: UnsafeMutablePointer<CChar>?
    if isCxx {
      var status: CInt = 0
      demangled = cxx?(name, nil, nil, &status)
    } else {
      demangled = swift?(name, bytes.count, nil, nil, 0)
    }
    guard let demangled else { return name }
    defer { free(demangled) }
    return String(cString: demangled)
  }

  /// How often `S_`, `S0_`, ... and `T_`, `T0_`, ... stand in a name (Itanium C++ ABI 5.1.10).
  static func cxxReferences(_ name: [UInt8]) -> Int {
    var count = 0
    var at = 0
    while at < name.count {
      let mayBegin = name[at] == 0x53 || name[at] == 0x54
      at += 1
      guard mayBegin else { continue }
      let end = name[at...].firstIndex { !(0x30...0x39 ~= $0 || 0x41...0x5a ~= $0) } ?? name.count
      guard end < name.count, name[end] == 0x5f else { continue }
      count += 1
      at = end + 1
    }
    return count
  }

  /// How many substitutions a name has: `A`, then letters, the last of them upper-case, each perhaps
  /// with a number before it that repeats it (docs/ABI/Mangling.rst of Swift).
  static func swiftReferences(_ name: [UInt8]) -> Int {
    var count = 0
    var at = 0
    func takeNumber() -> Int {
      var number = 0
      while at < name.count, 0x30...0x39 ~= name[at] {
        number = min(number * 10 + Int(name[at] - 0x30), 1 << 20)
        at += 1
      }
      return number
    }
    while at < name.count {
      if 0x31...0x39 ~= name[at] {
        // The text of an identifier.
        at += takeNumber()
      } else if name[at] == 0x41 {
        at += 1
        var isOpen = true
        while isOpen {
          count += max(takeNumber(), 1)
          isOpen = at < name.count && 0x61...0x7a ~= name[at]
          at += 1
        }
      } else {
        at += 1
      }
    }
    return count
  }
}
