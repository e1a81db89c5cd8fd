import ArgumentParser
import Machine
import TOMLKit

/// A file that describes a machine, from a known one with changes or all by itself.
///
/// ```
/// name = "half-stlb"              # optional; the file's name without .toml otherwise
/// base = "sapphire-rapids"        # optional
/// second_level_shared = false
/// walk_ns = [20, 40, 100]         # lower, expected, upper; or one number
///
/// [[second]]                      # replaces all arrays of that level
/// entries = 1024
/// ways = 8                        # without: fully associative
/// pages = ["4K", "2M"]
/// source = "where this is from"   # optional
/// ```
struct MachineFile {
  private static let groups = [
    "fetch", "load", "store", "second", "second_fetch", "paging_structures",
  ]
  private static let flags = [
    "page_table_isolation", "broadcast_flush", "first_level_shared", "second_level_shared",
  ]
  private static let counts = ["threads_per_core", "page_walkers", "paging_levels"]
  private static let ranges = ["second_level_hit_cycles", "walk_ns"]
  private static let texts = ["name", "base", "summary", "source"]
  private static var keys: [String] { texts + flags + counts + ranges + groups }

  private let file: TOMLFile
  private let source: String

  /// The machine of a file, or the one of this name.
  static func machine(_ nameOrPath: String) throws -> MachineModel {
    guard TOMLFile.isFile(nameOrPath) else {
      if let found = MachineCatalog.machine(named: nameOrPath) { return found }
      let known = MachineCatalog.machines.map(\.name).joined(separator: ", ")
      throw ValidationError("Unknown machine \"\(nameOrPath)\"; known are \(known).")
    }
    let file = try TOMLFile(nameOrPath, kind: "machine file")
    return try MachineFile(file).model()
  }

  private init(_ file: TOMLFile) throws {
    self.file = file
    for key in file.table.keys where !Self.keys.contains(key) {
      throw file.refusal(
        "unknown key \"\(key)\"; keys are \(Self.keys.joined(separator: ", "))", key)
    }
    for key in Self.texts where file.table.contains(key: key) && file.table[key]?.string == nil {
      throw file.refusal("\(key) is a string", key)
    }
    source = file.table["source"]?.string ?? file.path
  }

  private func model() throws -> MachineModel {
    var model = try start()
    model.isPageTableIsolated =
      try flag("page_table_isolation") ?? model.isPageTableIsolated
    model.hasBroadcastFlush = try flag("broadcast_flush") ?? model.hasBroadcastFlush
    model.geometry.isFirstLevelShared =
      try flag("first_level_shared") ?? model.geometry.isFirstLevelShared
    model.geometry.isSecondLevelShared =
      try flag("second_level_shared") ?? model.geometry.isSecondLevelShared
    model.threadsPerCore =
      try count("threads_per_core", 1...TLBGeometry.threadsMax) ?? model.threadsPerCore
    model.pageWalkers = try count("page_walkers", 1...64) ?? model.pageWalkers
    model.geometry.pagingLevels =
      try count("paging_levels", 4...5)?.expected ?? model.geometry.pagingLevels
    model.secondLevelHitCycles =
      try range("second_level_hit_cycles") ?? model.secondLevelHitCycles
    model.walkNanoseconds = try range("walk_ns") ?? model.walkNanoseconds
    model.geometry.fetch = try arrays("fetch") ?? model.geometry.fetch
    model.geometry.load = try arrays("load") ?? model.geometry.load
    model.geometry.store = try arrays("store") ?? model.geometry.store
    model.geometry.second = try arrays("second") ?? model.geometry.second
    model.geometry.secondFetch = try arrays("second_fetch") ?? model.geometry.secondFetch
    model.geometry.pagingStructures =
      try arrays("paging_structures") ?? model.geometry.pagingStructures
    if let fault = model.geometry.fault {
      throw file.refusal("\(fault.group): \(fault.message)", fault.group)
    }
    return model
  }

  /// The base under the file's own name.
  private func start() throws -> MachineModel {
    let name = file.table["name"]?.string ?? file.name
    if MachineCatalog.machine(named: name) != nil {
      throw file.refusal("\"\(name)\" is the name of a known machine: choose another", "name")
    }
    if name.isEmpty || name.contains(where: \.isWhitespace) {
      throw file.refusal("name is one word, no spaces", "name")
    }
    var model = MachineModel.unknown(name: name)
    if let base = file.table["base"]?.string {
      guard let known = MachineCatalog.machine(named: base) else {
        let names = MachineCatalog.machines.map(\.name).joined(separator: ", ")
        throw file.refusal("\"\(base)\" is no machine; known are \(names)", "base")
      }
      model = known
      model.name = name
      model.summary = "\(base) with changes"
      model.source = "\(source); base: \(known.source)"
    } else {
      model.summary = "from \(file.path)"
      model.source = source
    }
    model.summary = file.table["summary"]?.string ?? model.summary
    return model
  }

  // MARK: Values

  private func flag(_ key: String) throws -> Bool? {
    guard file.table.contains(key: key) else { return nil }
    guard let value = file.table[key], value.type == .bool else {
      throw file.refusal("\(key) is true or false", key)
    }
    return value.bool
  }

  private func count(_ key: String, _ limits: ClosedRange<Int>) throws -> CountRange? {
    guard file.table.contains(key: key) else { return nil }
    guard let value = file.table[key], value.type == .int, let number = value.int,
      limits.contains(number)
    else {
      throw file.refusal("\(key) is \(limits.lowerBound) to \(limits.upperBound)", key)
    }
    return CountRange(number, source: source, confidence: .medium)
  }

  /// A number, or lower, expected and upper.
  private func range(_ key: String) throws -> ParameterRange? {
    guard file.table.contains(key: key), let value = file.table[key] else { return nil }
    var numbers: [Double] = []
    if let array = value.array {
      for index in 0..<array.count { numbers.append(Self.number(array[index]) ?? -1) }
    } else {
      numbers = Array(repeating: Self.number(value) ?? -1, count: 3)
    }
    guard numbers.count == 3, numbers.allSatisfy({ $0 >= 0 && $0 <= 1e6 }),
      numbers[0] <= numbers[1], numbers[1] <= numbers[2]
    else {
      throw file.refusal(
        "\(key) is a number from 0 to 1000000, or [lower, expected, upper] of such", key)
    }
    return ParameterRange(
      numbers[1], lower: numbers[0], upper: numbers[2], source: source, confidence: .medium)
  }

  private static func number(_ value: (any TOMLValueConvertible)?) -> Double? {
    guard let value else { return nil }
    return value.type == .int ? value.int.map(Double.init) : value.double
  }

  // MARK: Arrays of a level

  private func arrays(_ group: String) throws -> [TLBArray]? {
    guard file.table.contains(key: group) else { return nil }
    guard let list = file.table[group]?.array else {
      throw file.refusal("\(group) is a list of arrays: [[\(group)]]", group)
    }
    guard list.count <= TLBGeometry.arraysMax else {
      throw file.refusal("\(group): at most \(TLBGeometry.arraysMax) arrays in a level", group)
    }
    var made: [TLBArray] = []
    for index in 0..<list.count {
      guard let table = list[index].table else {
        throw file.refusal("\(group) is a list of arrays: [[\(group)]]", group)
      }
      made.append(try array(table, group, index))
    }
    return made
  }

  private func array(_ table: TOMLTable, _ group: String, _ index: Int) throws -> TLBArray {
    func refusal(_ message: String, _ key: String) -> ValidationError {
      file.refusal("\(group): \(message)", key, in: group, index)
    }
    let known = ["entries", "ways", "pages", "source"]
    for key in table.keys where !known.contains(key) {
      throw refusal("unknown key \"\(key)\"; keys are \(known.joined(separator: ", "))", key)
    }
    guard let entries = table["entries"], entries.type == .int, let entries = entries.int else {
      throw refusal("entries is a number", "entries")
    }
    var ways: Int?
    if table.contains(key: "ways") {
      guard let value = table["ways"], value.type == .int else {
        throw refusal("ways is a number", "ways")
      }
      ways = value.int
    }
    if table.contains(key: "source"), table["source"]?.string == nil {
      throw refusal("source is a string", "source")
    }
    let array = TLBArray(
      entries, ways: ways, try sizes(table, group, index),
      source: table["source"]?.string ?? source, confidence: .medium)
    if let fault = array.fault { throw refusal(fault, "entries") }
    return array
  }

  private func sizes(_ table: TOMLTable, _ group: String, _ index: Int) throws -> PageSizes {
    // Paging-structure caches hold entries of tables, whatever they lead to.
    if group == "paging_structures" {
      guard table.contains(key: "pages") else { return [] }
      throw file.refusal("\(group): has no pages", "pages", in: group, index)
    }
    let message = "\(group): pages is a list of \"4K\", \"2M\", \"1G\""
    guard let list = table["pages"]?.array, list.count > 0 else {
      throw file.refusal(message, "pages", in: group, index)
    }
    var sizes: PageSizes = []
    for place in 0..<list.count {
      guard let size = PageSize.allCases.first(where: { $0.label == list[place].string }) else {
        throw file.refusal(message, "pages", in: group, index)
      }
      sizes.insert(PageSizes(rawValue: 1 << size.rawValue))
    }
    return sizes
  }
}
