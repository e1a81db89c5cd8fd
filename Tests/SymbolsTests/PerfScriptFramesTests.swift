import Foundation
import Symbols
import Testing
import TraceBuilding
import TraceEvents

@testable import TraceFiles

/// Every frame of every sample, against what `perf script` prints for the same file.
///
/// The answers are those of perf 6.1 with the whole kallsyms of the boot and a `--symfs` that holds
/// only `usr/bin/fx`.
struct PerfScriptFramesTests {
  /// How many frames of a capture were compared, and how many of them had names.
  private struct Count: Equatable {
    var samples = 0
    var kernel = 0
    var fx = 0
    var refused = 0
  }

  @Test(arguments: [
    ("pd-a-g", Count(samples: 169, kernel: 1610, fx: 22, refused: 0)),
    ("pd-a-gmix", Count(samples: 146, kernel: 1563, fx: 34, refused: 0)),
    ("pd-a-guser", Count(samples: 116, kernel: 0, fx: 32, refused: 0)),
    // Recorded with another build of fx, which its build id tells: perf names none of its frames.
    ("pd-a-cpuclock", Count(samples: 269, kernel: 2215, fx: 0, refused: 29)),
  ])
  private func framesEqualPerfScript(_ name: String, _ expected: Count) throws {
    let kernel = try KernelSymbols(kallsyms: SymbolFixture.kallsyms(), from: "kallsyms")
    try compare(name, expected, kernel)
  }

  @Test(arguments: ["pd-a-g", "pd-a-gmix", "pd-a-cpuclock"])
  func framesEqualPerfScriptWithAllSymbols(_ name: String) throws {
    for folder in Fixture.directories("formats") {
      let path = folder.appending(path: "kallsyms-a.txt.gz").path
      guard FileManager.default.fileExists(atPath: path) else { continue }
      let kernel = try KernelSymbols(kallsyms: SymbolFixture.unpacked(path), from: path)
      try compare(name, nil, kernel)
    }
  }

  /// With a vmlinux instead, which has neither init text nor all functions.
  @Test func framesEqualPerfScriptWithVmlinux() throws {
    let buildID = BuildID(hexadecimal: "7f76f39faf07f34cfa9fadd801e131bfa8cb6dc3")
    let kernel = try KernelSymbols(
      vmlinux: SymbolFixture.path("vmlinux-a.symtab.elf"), buildID: buildID)
    try compare("pd-a-g", nil, kernel, answers: "pd-a-g.vmlinux")
  }

  /// The kernel frames of a large capture, where the whole kallsyms is beside the checkout: it is of
  /// the same kernel, which was not moved.
  @Test func kernelFramesOfLargeCaptureEqualPerfScript() throws {
    let name = "captures/perf-4cpu-anon-g"
    for folder in Fixture.directories("formats") {
      let path = folder.appending(path: "kallsyms-a.txt.gz").path
      guard FileManager.default.fileExists(atPath: path) else { continue }
      let kernel = try KernelSymbols(kallsyms: SymbolFixture.unpacked(path), from: path)
      var sample = PerfStackSample()
      var reader = try PerfStackReader(Fixture.path("\(name)/perf.data.zst"))
      var count = Count()
      var own: [String] = []
      while reader.next(into: &sample) {
        for address in sample.kernelFrames { own.append(line(address, kernel, &count)) }
      }
      let text = try SymbolFixture.unpacked(Fixture.path("\(name)/perf-script.txt.zst"))
      let theirs = text.split(separator: 0x0a)
        .filter {
          $0.first == 9 && $0.suffix(18).elementsEqual("([kernel.kallsyms])".utf8.suffix(18))
        }
        .map { Self.spacedOnce(Substring(String(decoding: $0, as: UTF8.self))) }
      #expect(own.count == 127_414)
      #expect(own.sorted() == theirs.sorted())
    }
  }

  @Test func kallsymsOfTraceDatNameItsFunctions() throws {
    let input = try TraceInput(Fixture.path("formats/td-a-v7-stack.dat"))
    let text = try #require(try input.kallsyms())
    let kernel = try KernelSymbols(kallsyms: text, from: "kallsyms of the trace")
    let directory = EventDirectory()
    #expect(kernel.functionName(0xffff_ffff_810a_9e20, in: directory) == "flush_tlb_func")
    #expect(try TraceInput(Fixture.path("formats/pd-a-g.data")).kallsyms() == nil)
  }

  private func compare(
    _ name: String, _ expected: Count?, _ kernel: KernelSymbols, answers: String? = nil
  )
    throws
  {
    var count = Count()
    let own = try SymbolFixture.withRoot { root in
      try samples(of: Fixture.path("formats/\(name).data"), kernel, root, &count)
    }
    let text = try SymbolFixture.unpacked(SymbolFixture.path("\(answers ?? name).frames.txt.gz"))
    let theirs = String(decoding: text, as: UTF8.self).components(separatedBy: "\n\n")
      .map { $0.split(separator: "\n").map(Self.spacedOnce).joined(separator: "\n") }
      .filter { !$0.isEmpty }
    // perf prints by time, the reader goes by the file.
    let (a, b) = (own.sorted(), theirs.sorted())
    #expect(a.count == b.count)
    for (one, other) in zip(a, b) where one != other {
      #expect(one == other)
      break
    }
    if let expected { #expect(count == expected) }
  }

  private static func spacedOnce(_ line: Substring) -> String {
    line.split { $0 == " " || $0 == "\t" }.joined(separator: " ")
  }

  private func samples(
    of path: String, _ kernel: KernelSymbols, _ root: String, _ count: inout Count
  ) throws -> [String] {
    var sample = PerfStackSample()
    var first = try PerfStackReader(path)
    while first.next(into: &sample) {}
    let mappings = first.mappings
    #expect(mappings.kernelAnchor?.address == 0xffff_ffff_8100_0000)
    var kernel = kernel
    let hasMoved = kernel.move("_text", to: mappings.kernelAnchor?.address ?? 0)
    #expect(hasMoved)
    var programs = UserSymbols(root: root)
    var all: [String] = []
    var reader = try PerfStackReader(path)
    while reader.next(into: &sample) {
      count.samples += 1
      var lines = [head(sample)]
      for address in sample.kernelFrames { lines.append(line(address, kernel, &count)) }
      for address in sample.userFrames {
        let place = mappings.mapping(
          process: sample.process, address: address, time: sample.time)
        lines.append(try line(address, place, mappings, &programs, &count))
      }
      all.append(lines.joined(separator: "\n"))
    }
    #expect(reader.statistics.findings.filter { $0.severity == .damage }.isEmpty)
    return all
  }

  private func head(_ sample: PerfStackSample) -> String {
    let nanoseconds = String(sample.time % 1_000_000_000)
    let fraction = String(repeating: "0", count: 9 - nanoseconds.count) + nanoseconds
    let cpu = sample.cpu.map { " [\(String(repeating: "0", count: 3 - "\($0)".count))\($0)]" } ?? ""
    return "\(sample.task)\(cpu) \(sample.time / 1_000_000_000).\(fraction):"
  }

  // What perf.data says of the kernel's text: 16 MiB from _text on.
  private func hasText(_ address: UInt64) -> Bool {
    0xffff_ffff_8100_0000..<0xffff_ffff_8200_0000 ~= address
  }

  private func line(_ address: UInt64, _ kernel: KernelSymbols, _ count: inout Count) -> String {
    count.kernel += 1
    let hexadecimal = String(address, radix: 16)
    guard let symbol = kernel.symbol(at: address) else {
      return "\(hexadecimal) [unknown] (\(hasText(address) ? "[kernel.kallsyms]" : "[unknown]"))"
    }
    let offset = String(symbol.offset, radix: 16)
    let object = symbol.module ?? "kernel.kallsyms"
    return "\(hexadecimal) \(symbol.name)+0x\(offset) ([\(object)])"
  }

  private func line(
    _ address: UInt64, _ mapping: PerfMapping?, _ mappings: PerfMappings,
    _ programs: inout UserSymbols, _ count: inout Count
  ) throws -> String {
    guard let mapping else { return "\(String(address, radix: 16)) [unknown] ([unknown])" }
    let place = mapping.fileOffset(of: address)
    let text = String(place, radix: 16)
    do throws(SymbolError) {
      let symbol = try programs.symbol(
        path: mapping.name, buildID: mappings.buildID(of: mapping).flatMap { BuildID($0) },
        fileOffset: place)
      guard let symbol else { return "\(text) [unknown] (\(mapping.name))" }
      count.fx += 1
      return "\(text) \(symbol.name)+0x\(String(symbol.offset, radix: 16)) (\(mapping.name))"
    } catch {
      #expect(error.message.contains("another build"))
      count.refused += 1
      return "\(text) [unknown] (\(mapping.name))"
    }
  }
}
