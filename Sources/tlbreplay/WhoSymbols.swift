import Reporting
import Symbols
import TraceEvents
import TraceFiles

/// The names of functions in one trace: the kernel's from kallsyms or a vmlinux, the programs' from
/// their binaries.
final class WhoSymbols {
  private var kernel: KernelSymbols?
  private var programs: UserSymbols?
  private let mappings: PerfMappings?
  private var sources: [String] = []
  /// Binaries that were refused, once each, in the words of their error.
  private var refusals: [String] = []

  init(
    _ loaded: LoadedInput, _ trace: TraceDescription, kallsyms: String?, vmlinux: String?,
    symfs: String?, isForced: Bool
  ) throws {
    mappings = try Self.mappings(loaded, trace)
    do throws(SymbolError) {
      try findKernel(loaded, kallsyms: kallsyms, vmlinux: vmlinux, isForced: isForced)
    } catch {
      throw TraceError(error.description)
    }
    if let symfs { programs = UserSymbols(root: symfs, isForced: isForced) }
    if kernel == nil {
      sources.append(
        "none for the kernel: the trace holds no kallsyms; name them by --kallsyms or --vmlinux "
          + "(addresses stay hexadecimal, and causes come from events).")
    }
  }

  /// What a perf.data says of mappings; what came through a pipe is gone.
  private static func mappings(_ loaded: LoadedInput, _ trace: TraceDescription) throws(TraceError)
    -> PerfMappings?
  {
    guard trace.facts.format.hasPrefix("perf.data"), let path = loaded.path else { return nil }
    var reader = try PerfStackReader(path)
    var sample = PerfStackSample()
    while reader.next(into: &sample) {}
    return reader.mappings
  }

  private func findKernel(
    _ loaded: LoadedInput, kallsyms: String?, vmlinux: String?, isForced: Bool
  ) throws(SymbolError) {
    if let kallsyms {
      kernel = try KernelSymbols(kallsyms: Self.bytes(kallsyms), from: kallsyms)
      sources.append("kernel: \(kallsyms).")
    } else if let text = Self.embedded(loaded) {
      // A trace's own table may be cut or without addresses, which is no reason to refuse the
      // trace.
      if let read = try? KernelSymbols(kallsyms: text, from: "kallsyms of the trace") {
        kernel = read
        sources.append("kernel: kallsyms of the trace.")
      }
    }
    let buildID = mappings?.kernelBuildID.flatMap { BuildID($0) }
    if let vmlinux {
      if kernel == nil {
        kernel = try KernelSymbols(vmlinux: vmlinux, buildID: buildID, isForced: isForced)
      } else {
        try kernel?.use(vmlinux: vmlinux, buildID: buildID, isForced: isForced)
      }
      let check =
        buildID == nil
        ? "the trace has no build id to check" : isForced ? "forced" : "build id checked"
      sources.append("kernel: \(vmlinux) (\(check)).")
    }
    guard let anchor = mappings?.kernelAnchor, kernel != nil else { return }
    if kernel?.move(anchor.symbol, to: anchor.address) == true {
      sources.append(
        "kernel: \(anchor.symbol) lay at 0x\(String(anchor.address, radix: 16)), as the trace says."
      )
    }
  }

  private static func embedded(_ loaded: LoadedInput) -> [UInt8]? {
    (try? loaded.trace.kallsyms()) ?? nil
  }

  private static func bytes(_ path: String) throws(SymbolError) -> [UInt8] {
    do throws(TraceError) {
      return try TraceInput.content(ofFile: path)
    } catch {
      throw SymbolError(error.message, in: path, at: error.offset)
    }
  }

  /// The kernel function that an address lies in, nil if no symbol covers it.
  func kernelFunction(_ address: UInt64) -> String? { kernel?.symbol(at: address)?.name }

  /// The function of a program that an address lies in, else hexadecimal with the file's name.
  private func userFunction(_ address: UInt64, _ process: Int32, _ time: UInt64) -> String {
    let hexadecimal = "0x" + String(address, radix: 16)
    guard let mapping = mappings?.mapping(process: process, address: address, time: time) else {
      return hexadecimal
    }
    let file = mapping.name.split(separator: "/").last.map(String.init) ?? mapping.name
    let place = mapping.fileOffset(of: address)
    let unnamed = "\(file)+0x\(String(place, radix: 16))"
    guard programs != nil else { return unnamed }
    do throws(SymbolError) {
      let symbol = try programs?.symbol(
        path: mapping.name,
        buildID: mappings?.buildID(of: mapping).flatMap { BuildID($0) }, fileOffset: place)
      return symbol?.name ?? unnamed
    } catch {
      if !refusals.contains(error.description), refusals.count < 8 {
        refusals.append(error.description)
      }
      return unnamed
    }
  }

  /// Names for a report, with the call chains that the directory holds now.
  func names(_ directory: EventDirectory) -> AttributionNames {
    AttributionNames(
      directory,
      kernel: { word in
        if let name = FunctionName.symbol(word, in: directory) { return name }
        return self.kernelFunction(word) ?? "0x" + String(word, radix: 16)
      },
      user: { word, process, time in
        if let name = FunctionName.symbol(word, in: directory) { return name }
        return self.userFunction(word, process, time)
      },
      // Which binaries are refused is known only when names have been asked for.
      sources: { self.sources + self.refusals.map { "not used: \($0)." } })
  }
}
