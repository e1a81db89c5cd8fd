/// A function of a program or library that an address lies in.
public struct UserSymbol: Sendable, Hashable {
  /// The function's name in the source.
  public var name: String
  /// Bytes from its start.
  public var offset: UInt64
}

/// The symbols of the traced programs, from their binaries under one directory.
///
/// A binary is read when the first address in it is looked up, and kept.
public struct UserSymbols: Sendable {
  private enum Binary: Sendable {
    case missing
    case refused(SymbolError)
    case read(ELFSymbols)
  }

  /// What identifies a binary: two builds of one path may be in a trace.
  private struct Key: Hashable {
    var path: String
    var buildID: BuildID?
  }

  private let root: String
  private let isForced: Bool
  private var binaries: [Key: Binary] = [:]

  /// Binaries kept; those beyond it count as missing.
  public static let binariesMax = 65_536

  /// Binaries are looked for under `root`: `/usr/bin/fx` is `root/usr/bin/fx`.
  ///
  /// - Parameter isForced: whether binaries with other build ids than the trace's will do.
  public init(root: String, isForced: Bool = false) {
    self.root = root
    self.isForced = isForced
  }

  /// The function at a byte `fileOffset` of the binary that MMAP records call `path`; nil if the binary
  /// is not there, or no symbol covers the byte.
  ///
  /// - Throws: if the binary is damaged, or another build than `buildID`; again at every look-up.
  public mutating func symbol(path: String, buildID: BuildID?, fileOffset: UInt64)
    throws(SymbolError) -> UserSymbol?
  {
    let key = Key(path: path, buildID: buildID)
    let binary: Binary
    if let known = binaries[key] {
      binary = known
    } else {
      binary = load(key)
      if binaries.count < Self.binariesMax { binaries[key] = binary }
    }
    switch binary {
    case .missing: return nil
    case .refused(let error): throw error
    case .read(let file):
      guard let address = file.address(ofFileOffset: fileOffset),
        let place = file.table.place(of: address)
      else { return nil }
      return UserSymbol(
        name: Demangling.sourceName(file.table.name(place.index)), offset: place.offset)
    }
  }

  private func load(_ key: Key) -> Binary {
    // What is no path is no file (`[vdso]`, `//anon`), and a trace must not lead out of the root.
    guard binaries.count < Self.binariesMax, key.path.hasPrefix("/"), !key.path.hasPrefix("//"),
      !key.path.split(separator: "/").contains(".."), !key.path.utf8.contains(0),
      SymbolFile.exists(root + key.path)
    else { return .missing }
    do throws(SymbolError) {
      return .read(try ELFSymbols(root + key.path, buildID: key.buildID, isForced: isForced))
    } catch {
      return .refused(error)
    }
  }
}
