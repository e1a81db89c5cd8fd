/// Collects symbols in any order and makes a ``SymbolTable`` of them.
///
/// Symbols without a size end where the next one starts, and of several at one address one is kept, by
/// the rules of `perf script`: `symbols__fixup_end`, then `symbols__fixup_duplicate` with
/// `choose_best_symbol` (tools/perf/util/symbol.c, Linux 6.1 and 6.12).
struct SymbolTableBuilder {
  /// `STB_*` of elf.h, as far as the choice depends on it.
  enum Binding: UInt8 {
    case local, global, weak
  }

  private struct Entry {
    var start: UInt64
    var end: UInt64
    /// Where it ends at most if it has no size.
    var limit: UInt64
    var name: Int
    var length: UInt16
    var module: UInt16
    var binding: Binding
  }

  /// Longest name; C++ templates make the longest ones, and what is beyond is cut.
  static let nameLengthMax = 16_384
  /// Bytes of names in a table: their places are 32-bit numbers.
  static let nameBytesMax = Int(UInt32.max)

  private var entries: [Entry] = []
  private var names: [UInt8] = []
  private var moduleNames: [String] = [""]
  private var moduleNumbers: [String: UInt16] = [:]
  private var latestModule: (name: [UInt8], number: UInt16) = ([], 0)

  /// Adds a symbol; `size` 0 means that the file does not tell, and `limit` where it ends at most then.
  ///
  /// - Returns: false if the table has no room for it.
  mutating func add(
    start: UInt64, size: UInt64, binding: Binding, name: UnsafeRawBufferPointer, module: UInt16 = 0,
    limit: UInt64 = .max
  ) -> Bool {
    let length = min(name.count, Self.nameLengthMax)
    guard names.count <= Self.nameBytesMax - length else { return false }
    let (end, overflow) = start.addingReportingOverflow(size)
    entries.append(
      Entry(
        start: start, end: overflow ? .max : end, limit: limit, name: names.count,
        length: UInt16(length),
        module: module, binding: binding))
    names.append(contentsOf: name.prefix(length))
    return true
  }

  /// The number of the module `name`, nil if there are too many.
  mutating func module(_ name: UnsafeRawBufferPointer) -> UInt16? {
    // Symbols of one module stand together.
    if latestModule.number > 0, name.elementsEqual(latestModule.name) { return latestModule.number }
    let text = String(decoding: name, as: UTF8.self)
    let number = moduleNumbers[text] ?? UInt16(truncatingIfNeeded: moduleNames.count)
    if Int(number) == moduleNames.count {
      moduleNames.append(text)
      moduleNumbers[text] = number
    } else if moduleNumbers[text] == nil {
      return nil
    }
    latestModule = (Array(name), number)
    return number
  }

  /// The table of what was added; `page` is what the last symbol of a part is rounded up to.
  consuming func table(page: UInt64 = 4096) -> SymbolTable {
    // Those of one address stay in the file's order, which decides between equals.
    let order = entries.indices.sorted {
      (entries[$0].start, $0) < (entries[$1].start, $1)
    }
    fixEnds(order, page)
    var table = SymbolTable()
    table.moduleNames = moduleNames
    var index = 0
    while index < order.count {
      var best = entries[order[index]]
      var next = index + 1
      while next < order.count, entries[order[next]].start == best.start {
        let other = entries[order[next]]
        if !prefers(best, to: other) { best = other }
        next += 1
      }
      table.starts.append(best.start)
      table.ends.append(best.end)
      table.modules.append(best.module)
      table.names.append(contentsOf: names[best.name..<best.name + Int(best.length)])
      table.nameEnds.append(UInt32(table.names.count))
      index = next
    }
    return table
  }

  private mutating func fixEnds(_ order: [Int], _ page: UInt64) {
    for (place, index) in order.enumerated() where entries[index].end == entries[index].start {
      let start = entries[index].start
      if place + 1 < order.count {
        let next = entries[order[place + 1]]
        if next.module == entries[index].module {
          entries[index].end = max(start, min(next.start, entries[index].limit))
          continue
        }
      }
      // The gap between the kernel and a module, or two modules, belongs to neither.
      let (sum, overflow) = start.addingReportingOverflow(2 * page - 1)
      let end = overflow ? .max : sum & ~(page - 1)
      entries[index].end = max(start, min(end, entries[index].limit))
    }
  }

  private func prefers(_ a: Entry, to b: Entry) -> Bool {
    let (hasSizeA, hasSizeB) = (a.end > a.start, b.end > b.start)
    if hasSizeA != hasSizeB { return hasSizeA }
    if (a.binding == .weak) != (b.binding == .weak) { return b.binding == .weak }
    if (a.binding == .global) != (b.binding == .global) { return a.binding == .global }
    let (underscoresA, underscoresB) = (underscores(a), underscores(b))
    if underscoresA != underscoresB { return underscoresA < underscoresB }
    if a.length != b.length { return a.length > b.length }
    // `arch__choose_best_symbol`: no system call by its alias.
    return !hasPrefix(a, "SyS") && !hasPrefix(a, "compat_SyS")
  }

  private func underscores(_ entry: Entry) -> Int {
    names[entry.name..<entry.name + Int(entry.length)].prefix { $0 == 0x5f }.count
  }

  private func hasPrefix(_ entry: Entry, _ prefix: String) -> Bool {
    names[entry.name..<entry.name + Int(entry.length)].starts(with: prefix.utf8)
  }
}
