/// A symbol that an address belongs to.
public struct SymbolPlace: Sendable, Hashable {
  /// Which symbol of the table.
  public var index: Int
  /// Bytes from the symbol's start.
  public var offset: UInt64
}

/// Symbols by address: sorted columns and one buffer of names.
///
/// 25 bytes a symbol and the names' own; a lookup is a binary search. At most one symbol starts at an
/// address; which one of several is ``SymbolTableBuilder``'s choice.
public struct SymbolTable: Sendable {
  /// The table without symbols.
  public static let empty = SymbolTable()

  var starts: [UInt64] = []
  var ends: [UInt64] = []
  var nameEnds: [UInt32] = []
  var modules: [UInt16] = []
  var names: [UInt8] = []
  /// Names of modules; number 0 is the kernel or the binary itself.
  var moduleNames: [String] = [""]

  /// How many symbols there are.
  public var count: Int { starts.count }

  /// The symbol that `address` lies in, nil if there is none.
  public func place(of address: UInt64) -> SymbolPlace? {
    var low = 0
    var high = starts.count
    while low < high {
      let middle = (low + high) / 2
      if starts[middle] <= address { low = middle + 1 } else { high = middle }
    }
    // The last symbol that starts at or before it. One that reaches over later ones is not sought
    // further back: perf does not find it either.
    guard low > 0 else { return nil }
    let index = low - 1
    guard address < ends[index] || address == starts[index] else { return nil }
    return SymbolPlace(index: index, offset: address - starts[index])
  }

  /// The symbol's name as the file has it.
  public func name(_ index: Int) -> String {
    String(decoding: nameBytes(index), as: UTF8.self)
  }

  /// The symbol's first address.
  public func start(_ index: Int) -> UInt64 { starts[index] }

  /// The first address behind the symbol.
  public func end(_ index: Int) -> UInt64 { ends[index] }

  /// The kernel module that the symbol is in, nil if it is in none.
  public func module(_ index: Int) -> String? {
    modules[index] == 0 ? nil : moduleNames[Int(modules[index])]
  }

  func nameBytes(_ index: Int) -> ArraySlice<UInt8> {
    names[(index == 0 ? 0 : Int(nameEnds[index - 1]))..<Int(nameEnds[index])]
  }

}
