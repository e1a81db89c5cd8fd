import Foundation
import Testing
import TraceBuilding

@testable import TraceFiles

/// Files of `Traces/symbols`.
enum SymbolFixture {
  static func path(_ name: String) -> String { Fixture.path("symbols/\(name)") }

  static func bytes(_ name: String) throws -> [UInt8] {
    Array(try Data(contentsOf: URL(filePath: path(name))))
  }

  /// The content of a packed file.
  static func unpacked(_ path: String) throws -> [UInt8] {
    let packed = try TraceInput.mapInput(path)
    let compression = try #require(try Compression.recognise(packed.bytes))
    let (file, damage) = try Spool.decompressed(packed.bytes, compression: compression)
    #expect(damage == nil)
    return Array(UnsafeRawBufferPointer(start: file.bytes.start, count: file.bytes.count))
  }

  static func kallsyms() throws -> [UInt8] { try unpacked(path("kallsyms-a.part.txt.gz")) }

  /// Calls `body` with the path of a file of `bytes`.
  static func withFile<T>(_ bytes: [UInt8], _ body: (String) throws -> T) throws -> T {
    let url = FileManager.default.temporaryDirectory.appending(path: "symbols-\(UUID().uuidString)")
    try Data(bytes).write(to: url)
    defer { try? FileManager.default.removeItem(at: url) }
    return try body(url.path)
  }

  /// Calls `body` with a directory in which `usr/bin/fx` is that of the captures.
  static func withRoot<T>(_ body: (String) throws -> T) throws -> T {
    let root = FileManager.default.temporaryDirectory.appending(path: "root-\(UUID().uuidString)")
    let folder = root.appending(path: "usr/bin")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: root) }
    try FileManager.default.copyItem(
      at: URL(filePath: path("fx")), to: folder.appending(path: "fx"))
    return try body(root.path)
  }
}
