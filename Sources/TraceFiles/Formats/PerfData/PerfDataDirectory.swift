/// perf's directory form (`perf record --threads`): `data` has the header, `data.N` the records.
enum PerfDataDirectory {
  /// The files of the directory at `path`, header first; nil if it is no such directory.
  static func parts(_ path: String) throws(TraceError) -> [TraceFilePart]? { nil }
}
