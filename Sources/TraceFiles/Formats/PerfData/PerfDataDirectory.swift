import TraceEvents

#if canImport(Glibc)
  import Glibc
#endif

/// perf's directory form (`perf record --threads`): `data` has the header, `data.N` the records.
///
///     data      an ordinary perf.data with feature 24 (DIR_FORMAT); its records are side records
///     data.N    records only, no header; one file a recording thread
///
/// `perf record --kcore` makes the same directory without any `data.N`.
enum PerfDataDirectory {
  /// The files of the directory at `path`, header first; nil if it is no such directory.
  static func parts(_ path: String) throws(TraceError) -> [TraceFilePart]? {
    var status = stat()
    guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR,
      let head = try map("\(path)/data"), head.bytes.hasPrefix("PERFILE2")
    else { return nil }
    var parts = [TraceFilePart(name: "\(path)/data", file: head)]
    for number in try numbers(path) {
      let name = "\(path)/data.\(number)"
      if let file = try map(name) { parts.append(TraceFilePart(name: name, file: file)) }
    }
    return parts
  }

  private static func map(_ path: String) throws(TraceError) -> MappedFile? {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    if descriptor < 0 && (errno == ENOENT || errno == ENOTDIR) { return nil }
    guard descriptor >= 0 else {
      throw TraceError("\(path) cannot be opened: \(String(cString: strerror(errno)))")
    }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
    return try MappedFile(descriptor: descriptor)
  }

  private static func numbers(_ path: String) throws(TraceError) -> [Int] {
    guard let directory = opendir(path) else {
      throw TraceError("cannot be listed: \(String(cString: strerror(errno)))")
    }
    defer { closedir(directory) }
    var numbers: [Int] = []
    while let entry = readdir(directory) {
      let name = withUnsafeBytes(of: &entry.pointee.d_name) {
        String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
      }
      guard name.hasPrefix("data."), let number = Int(name.dropFirst(5)), number >= 0,
        name == "data.\(number)"
      else { continue }
      numbers.append(number)
    }
    return numbers.sorted()
  }
}
