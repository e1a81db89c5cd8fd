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

  /// Longer names stay as they are: demangling can take time that grows faster than the name.
  public static let nameLengthMax = 4096

  /// The name in the source, or `name` if it is not mangled.
  public static func sourceName(_ name: String) -> String {
    guard name.utf8.count <= nameLengthMax else { return name }
    var demangled: UnsafeMutablePointer<CChar>?
    if name.hasPrefix("_Z") {
      var status: CInt = 0
      demangled = cxx?(name, nil, nil, &status)
    } else if name.hasPrefix("$s") || name.hasPrefix("$S") || name.hasPrefix("_T0") {
      demangled = swift?(name, name.utf8.count, nil, nil, 0)
    }
    guard let demangled else { return name }
    defer { free(demangled) }
    return String(cString: demangled)
  }
}
