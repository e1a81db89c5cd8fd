import Foundation
import Testing
import TraceEvents

@testable import TraceFiles

/// The recorded texts and what is known about them.
enum TextSamples {
  static let folder = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .appendingPathComponent("Traces/formats")

  /// File names of one or all dialects that have a key, refusals left out.
  static let names: [String] = {
    let all = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
    return all.filter { name in
      ["ft-", "tcr-", "ps-"].contains { name.hasPrefix($0) } && name.contains(".txt")
        && !name.hasSuffix(".json") && !refused.contains(name)
    }.sorted()
  }()

  static let refused = ["ft-a-one-raw.txt.gz", "ft-a-one-hex.txt.gz"]

  static func path(_ name: String) -> String { folder.appendingPathComponent(name).path }

  static func json(_ name: String) throws -> [String: Any] {
    let data = try Data(contentsOf: folder.appendingPathComponent(name))
    return try JSONSerialization.jsonObject(with: data) as? [String: Any] ?? [:]
  }

  /// The decompressed text.
  static func text(_ name: String) throws -> [UInt8] {
    let data = [UInt8](try Data(contentsOf: folder.appendingPathComponent(name)))
    return try data.withUnsafeBytes { bytes in
      guard let base = bytes.baseAddress else { return [] }
      let view = ByteView(start: base, count: bytes.count)
      guard let compression = try Compression.recognise(view) else { return data }
      let (file, _) = try Spool.decompressed(view, compression: compression)
      return [UInt8](
        UnsafeRawBufferPointer(start: file.bytes.start, count: file.bytes.count))
    }
  }
}

/// A file that is gone when the test is.
final class TemporaryFile {
  let path: String

  init(_ bytes: [UInt8]) throws {
    path =
      FileManager.default.temporaryDirectory
      .appendingPathComponent("tlbreplay-test-\(UUID().uuidString)").path
    try Data(bytes).write(to: URL(fileURLWithPath: path))
  }

  convenience init(_ text: String) throws { try self.init(Array(text.utf8)) }

  deinit { try? FileManager.default.removeItem(atPath: path) }
}

/// One row, with its strings resolved.
struct TextRow: Equatable {
  var instance: Int
  var time: UInt64
  var cpu: UInt16
  var task: Int32
  var event: String
  var words: [String]
}

/// What came out of one text.
struct TextResult {
  var facts: TraceFacts
  var statistics: IngestStatistics
  var directory: EventDirectory
  var rows: [TextRow]
}

extension TextResult {
  init(_ path: String, order: EventOrder = .time, instance: String? = nil) throws {
    var reader = try TraceInput(path).makeReader(ReadRequest(order: order, instance: instance))
    var batch = EventBatch()
    var rows: [TextRow] = []
    while try reader.next(into: &batch) {
      for row in 0..<batch.count { rows.append(TextRow(batch, row, reader.directory)) }
    }
    self.init(
      facts: reader.facts, statistics: reader.statistics, directory: reader.directory, rows: rows)
  }

  init(text: String, order: EventOrder = .time, instance: String? = nil) throws {
    let file = try TemporaryFile(text)
    try self.init(file.path, order: order, instance: instance)
  }

  init(bytes: [UInt8]) throws {
    let file = try TemporaryFile(bytes)
    try self.init(file.path)
  }
}

extension TextRow {
  /// Words as text: numbers in decimal, absent as `-`, names as they read.
  init(_ batch: borrowing EventBatch, _ row: Int, _ directory: EventDirectory) {
    let event = batch.event(row)
    var words: [String] = []
    if let kind = batch.kind(row) {
      for (slot, field) in Tracepoint.of(kind).fields.enumerated() {
        guard let word = batch.value(row, slot) else {
          words.append("-")
          continue
        }
        switch field.form {
        case .text: words.append(directory.string(word))
        case .function: words.append(FunctionName.symbol(word, in: directory) ?? "\(word)")
        case .cpuMask:
          words.append(
            (batch.cpuMask(row: row, slot: slot) ?? []).map(String.init).joined(separator: ","))
        default: words.append("\(Int64(bitPattern: word))")
        }
      }
    }
    self.init(
      instance: batch.instance, time: batch.timestamp(row), cpu: batch.cpu(row),
      task: batch.task(row), event: directory.names[Int(event)].full, words: words)
  }

  /// The name without its system, as the keys have it.
  var bareName: String {
    event == "ftrace:user_stack" ? "user_stack" : String(event.split(separator: ":").last ?? "")
  }
}

/// A mapped file, for readers that are given their dialect.
struct TemporaryMapping {
  let file: MappedFile

  init(_ path: String) throws {
    let handle = try #require(FileHandle(forReadingAtPath: path))
    file = try MappedFile(descriptor: handle.fileDescriptor)
    try handle.close()
  }
}
