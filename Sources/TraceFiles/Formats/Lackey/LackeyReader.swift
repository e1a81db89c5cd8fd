import TraceEvents

/// Reads Valgrind lackey's memory trace (``LackeyLine``), window by window in bounded memory.
///
/// An access that crosses a page boundary is one for each page. Lines that are no accesses raise a
/// finding each kind: Valgrind's own (`valgrind-line`), the program's (`program-line`), and such as
/// begin like an access but are none (`bad-access-line`: a line that the program cut, or damage).
struct LackeyReader: AccessReader {
  let source = AccessSource.lackey
  private(set) var statistics = AccessStatistics()

  private var input: TextInput
  private let name: String
  private var window: ByteView?
  private var position = 0
  private let buffer: AccessBuffer
  private var hasAccess = false
  private var process: UInt64?

  init(_ input: TextInput, name: String) {
    self.input = input
    self.name = name
    buffer = AccessBuffer(capacity: accessesPerBatch)
  }

  mutating func next(into batch: inout [PageAccess]) throws(TraceError) -> Bool {
    batch.removeAll(keepingCapacity: true)
    buffer.count = 0
    while !buffer.isFull {
      guard let text = window else {
        guard let more = input.nextWindow() else { break }
        window = more
        position = 0
        continue
      }
      walk(text)
      if position >= text.count { window = nil }
    }
    statistics.bytesRead = input.windowOffset + position
    guard buffer.count > 0 else {
      try finish()
      return false
    }
    hasAccess = true
    batch.append(contentsOf: buffer.accesses)
    return true
  }

  private mutating func finish() throws(TraceError) {
    if let damage = input.damage, statistics.ingest.count("compressed-data-damaged") == 0 {
      statistics.ingest.note(
        "compressed-data-damaged", .damage, at: damage.offset, damage.message)
    }
    guard hasAccess else {
      throw TraceError(
        "has no memory access: expected lines like \"I  0401ab70,3\"",
        at: statistics.bytesRead, file: name)
    }
  }

  /// Adds accesses until the window ends or the buffer is full.
  private mutating func walk(_ text: ByteView) {
    var at = position
    var lines = 0
    let out = buffer.start
    var count = buffer.count
    let limit = buffer.capacity - LackeyLine.accessesMax
    while at < text.count, count <= limit {
      lines &+= 1
      guard let access = LackeyLine.access(text, at) else {
        at = skip(text, at)
        continue
      }
      at = access.end
      let page = access.address &>> 12
      let crosses = Int(access.address & 4095) &+ access.size > 4096
      // The last page of the address space has none behind it; the number wraps in 52 bits.
      let next = (page &+ 1) & 0xf_ffff_ffff_ffff
      let first: AccessClass =
        access.tag == LackeyLine.fetch ? .fetch : access.tag == LackeyLine.store ? .store : .load
      out[count] = PageAccess(page: page, class: first)
      count &+= 1
      if crosses {
        out[count] = PageAccess(page: next, class: first)
        count &+= 1
      }
      if access.tag == LackeyLine.modify {
        out[count] = PageAccess(page: page, class: .store)
        count &+= 1
        if crosses {
          out[count] = PageAccess(page: next, class: .store)
          count &+= 1
        }
      }
    }
    position = at
    buffer.count = count
    statistics.records += lines
  }

  /// Counts a line that is no access by its kind; returns the offset behind it.
  @inline(never)
  private mutating func skip(_ text: ByteView, _ at: Int) -> Int {
    let end = LackeyLine.lineEnd(text, at)
    let offset = input.windowOffset + at
    let line = ByteView(start: text.start + at, count: end - at)
    if line.hasPrefix("==") || line.hasPrefix("--") || line.hasPrefix("**") {
      statistics.ingest.note(
        "valgrind-line", .note, at: offset, "a line of Valgrind itself, no access")
      noteProcess(line, offset)
    } else if line.hasPrefix("SB ") {
      statistics.ingest.note("superblock-line", .note, at: offset, "--trace-superblocks, no access")
    } else if line.count >= 3,
      LackeyLine.isAccess(
        UInt32(line.u8(0)) | UInt32(line.u8(1)) << 8 | UInt32(line.u8(2)) << 16)
    {
      statistics.ingest.note(
        "bad-access-line", .damage, at: offset,
        "expected an address of 8 to 16 lower-case hexadecimal digits, a comma, a size of 1 to "
          + "\(LackeyLine.sizeMax) and the line's end")
    } else {
      statistics.ingest.note(
        "program-line", .note, at: offset,
        "neither an access nor a line of Valgrind: what the program wrote to standard error")
    }
    return end
  }

  /// Streams of several processes in one text have one page number for different pages.
  private mutating func noteProcess(_ line: ByteView, _ offset: Int) {
    guard line.hasPrefix("==") else { return }
    var number: UInt64 = 0
    var at = 2
    while at < min(line.count, 14), line.u8(at) &- 0x30 < 10 {
      number = number * 10 + UInt64(line.u8(at) &- 0x30)
      at += 1
    }
    guard at > 2, at < line.count, line.u8(at) == 0x3d else { return }
    if let process, process != number {
      statistics.ingest.note(
        "several-processes", .loss, at: offset,
        """
        process \(number) writes into the stream of process \(process): pages of different address \
        spaces are mixed up (trace one process, or use --log-file=%p)
        """)
    }
    if process == nil { process = number }
  }
}

/// Memory that accesses are written to before they are handed out. A class because it owns it.
final class AccessBuffer {
  let start: UnsafeMutablePointer<PageAccess>
  let capacity: Int
  var count = 0

  init(capacity: Int) {
    self.capacity = capacity
    start = .allocate(capacity: capacity)
    start.initialize(repeating: PageAccess(rawValue: 0), count: capacity)
  }

  deinit { start.deallocate() }

  /// Whether another line may not fit.
  var isFull: Bool { count > capacity - LackeyLine.accessesMax }

  /// What was written.
  var accesses: UnsafeBufferPointer<PageAccess> { UnsafeBufferPointer(start: start, count: count) }
}
