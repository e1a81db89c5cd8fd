public import TraceEvents

/// Where a kernel's `_text` and `_stext` are: both tell how far it was moved (KASLR).
struct KernelAnchors: Sendable {
  var text: UInt64?
  var stext: UInt64?

  mutating func note(_ name: UnsafeRawBufferPointer, _ address: UInt64) {
    if name.count == 5, text == nil, name.elementsEqual("_text".utf8) { text = address }
    if name.count == 6, stext == nil, name.elementsEqual("_stext".utf8) { stext = address }
  }

  /// How far `other` lies above this kernel, nil if they have no anchor in common.
  func slide(to other: KernelAnchors) -> UInt64? {
    if let text, let target = other.text { return target &- text }
    if let stext, let target = other.stext { return target &- stext }
    return nil
  }
}

/// A kernel function that an address lies in.
public struct KernelSymbol: Sendable, Hashable {
  /// The function's name.
  public var name: String
  /// Its module, nil in the kernel itself.
  public var module: String?
  /// Bytes from its start.
  public var offset: UInt64
}

/// The symbols of the traced kernel: from kallsyms, from a vmlinux, or from both.
///
/// A vmlinux has no modules; addresses that are not in it are looked up in kallsyms.
public struct KernelSymbols: Sendable {
  private var kallsyms: SymbolTable
  private var kallsymsAnchors: KernelAnchors
  private var kallsymsSlide: UInt64 = 0
  private var image: SymbolTable = .empty
  private var imageSlide: UInt64 = 0

  /// Symbols in the form of /proc/kallsyms, from the file `path`.
  public init(kallsymsFile path: String) throws(SymbolError) {
    let bytes = try SymbolFile.bytes(path)
    try self.init(kallsyms: bytes, from: path)
  }

  /// Symbols in the form of /proc/kallsyms; `name` is what messages call their source.
  public init(kallsyms bytes: [UInt8], from name: String) throws(SymbolError) {
    (kallsyms, kallsymsAnchors) = try KallsymsReader.read(bytes, name)
  }

  /// The symbols of the vmlinux at `path`.
  ///
  /// - Parameters:
  ///   - buildID: the traced kernel's, nil if the trace has none.
  ///   - isForced: whether a vmlinux with another build id will do.
  public init(vmlinux path: String, buildID: BuildID?, isForced: Bool = false) throws(SymbolError) {
    self.init()
    try use(vmlinux: path, buildID: buildID, isForced: isForced)
  }

  private init() {
    kallsyms = .empty
    kallsymsAnchors = KernelAnchors()
  }

  /// Prefers the symbols of the vmlinux at `path`, moved to where kallsyms has the kernel.
  public mutating func use(vmlinux path: String, buildID: BuildID?, isForced: Bool = false)
    throws(SymbolError)
  {
    let file = try ELFSymbols(path, buildID: buildID, isForced: isForced)
    image = file.table
    imageAnchors = file.anchors
    if kallsyms.count > 0 {
      guard let slide = file.anchors.slide(to: kallsymsAnchors) else {
        throw SymbolError(
          "has neither _text nor _stext in common with kallsyms: where the kernel lies is not known",
          in: path)
      }
      imageSlide = slide &+ kallsymsSlide
    }
  }

  private var imageAnchors = KernelAnchors()

  /// Moves the symbols to where the traced kernel was: `symbol` (`_text` or `_stext`) was at `address`.
  ///
  /// perf notes that in the MMAP record of `[kernel.kallsyms]_text`, whose file offset is the address.
  /// kallsyms of another boot lose their modules by it, for those move on their own.
  ///
  /// - Returns: false if the symbols have no such anchor; nothing is moved then.
  @discardableResult
  public mutating func move(_ symbol: String, to address: UInt64) -> Bool {
    var target = KernelAnchors()
    guard symbol == "_text" || symbol == "_stext" else { return false }
    if symbol == "_text" { target.text = address } else { target.stext = address }
    let kallsymsMove = kallsymsAnchors.slide(to: target)
    let imageMove = imageAnchors.slide(to: target)
    if let kallsymsMove { kallsymsSlide = kallsymsMove }
    if let imageMove { imageSlide = imageMove }
    return (kallsyms.count == 0 || kallsymsMove != nil) && (image.count == 0 || imageMove != nil)
  }

  /// The function that `address` lies in, nil if no symbol covers it.
  public func symbol(at address: UInt64) -> KernelSymbol? {
    if let place = image.place(of: address &- imageSlide) {
      return KernelSymbol(name: image.name(place.index), module: nil, offset: place.offset)
    }
    guard let place = kallsyms.place(of: address &- kallsymsSlide) else { return nil }
    let module = kallsyms.module(place.index)
    guard kallsymsSlide == 0 || module == nil else { return nil }
    return KernelSymbol(name: kallsyms.name(place.index), module: module, offset: place.offset)
  }

  /// What the csd and smp tracepoints call a function by: `word` is an address or an encoded name.
  ///
  /// - Returns: the name, with an offset where the address is not the function's first, or hexadecimal.
  public func functionName(_ word: UInt64, in directory: EventDirectory) -> String {
    if let name = FunctionName.symbol(word, in: directory) { return name }
    guard let symbol = symbol(at: word) else { return "0x" + String(word, radix: 16) }
    return symbol.offset == 0 ? symbol.name : symbol.name + "+0x" + String(symbol.offset, radix: 16)
  }
}
