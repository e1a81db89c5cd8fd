import TraceEvents

/// The call chain of one event, as the lines below it show it.
///
///     ftrace      ` => sym`, ` => sym+0x12/0x34`, ` =>  <00000000004610d3>`, ` => /bin/x[+0x600d3]`
///     trace-cmd   `=> sym (ffffffff8145190b)`
///     perf        `\tffffffff810a9c23 sym+0x3b3 ([kernel.kallsyms])`, `\t   d4ad7 sym+0x7 (/lib/x.so)`
///
/// A chain stands between its event and the next one; its rows are added when that comes.
struct TextChain {
  /// Frames beyond are left out: the kernel shows 127, `perf script` no more than it recorded.
  private static let framesMax = 1 << 16

  /// Whether lines are being collected, or wait to become rows.
  private(set) var isOpen = false
  private var timestamp: UInt64 = 0
  private var cpu: UInt16 = 0
  private var task: Int32 = 0
  /// What ftrace's own stack events hold; nil for perf, which shows the kernel's and the user's in
  /// one.
  private var kind: EventKind?
  private var kernel: [UInt64] = []
  private var user: [UInt64] = []

  /// Whether a chain may follow an event of perf script: the flushes that their CPU began.
  static func isAwaited(behind row: Int, of batch: borrowing EventBatch) -> Bool {
    batch.kind(row) == .tlbFlush
      && FlushReason.initiators.contains(batch.signedWord(row, TLBFlush.reason))
  }

  /// Begins the chain of an event.
  mutating func begin(_ line: TextLine, at timestamp: UInt64, as kind: EventKind?) {
    isOpen = true
    self.timestamp = timestamp
    cpu = line.cpu
    task = line.task
    self.kind = kind
    kernel.removeAll(keepingCapacity: true)
    user.removeAll(keepingCapacity: true)
  }

  /// Takes a line of the chain.
  mutating func take(_ scanner: TextScanner, _ directory: EventDirectory) {
    guard kernel.count + user.count < Self.framesMax else { return }
    var rest = scanner
    if rest.skip(ASCII.tab) {
      takePerf(&rest, directory)
      return
    }
    _ = rest.skip(ASCII.space)
    guard rest.skip("=> ") else { return }
    rest.skipSpaces()
    let word: UInt64
    if rest.skip("<") {
      guard let address = rest.takeHexadecimal() else { return }
      word = address
    } else {
      let start = rest.at
      guard rest.skipWord() > 0 else { return }
      word = FunctionName.encode(
        Self.plainName(TextSpan(start: start, count: rest.at - start).text), in: directory)
    }
    if kind == .userStack { user.append(word) } else { kernel.append(word) }
  }

  private mutating func takePerf(_ rest: inout TextScanner, _ directory: EventDirectory) {
    rest.skipSpaces()
    guard let address = rest.takeHexadecimal(), rest.skip(ASCII.space) else { return }
    let text = TextSpan(start: rest.at, count: rest.left).text
    let isKernel = address >= 1 << 63
    var name = text
    var object = ""
    if text.hasSuffix(")"), let open = text.lastIndex(of: "("), open > text.startIndex {
      name = String(text[..<text.index(before: open)])
      object = String(text[text.index(after: open)...].dropLast())
    }
    var word = address
    if !name.hasPrefix("[unknown]") {
      word = FunctionName.encode(Self.plainName(name), in: directory)
    } else if !isKernel, let file = object.split(separator: "/").last, file != "[unknown]" {
      word = FunctionName.encode("\(file)+0x\(String(address, radix: 16))", in: directory)
    }
    if isKernel { kernel.append(word) } else { user.append(word) }
  }

  /// A function's name without its offset, a file with its offset as other forms have it.
  private static func plainName(_ text: String) -> String {
    if text.hasSuffix("]"), let open = text.lastIndex(of: "["), text[open...].hasPrefix("[+0x") {
      let file = text[..<open].split(separator: "/").last.map(String.init) ?? ""
      return file + text[text.index(after: open)...].dropLast()
    }
    guard let plus = text.lastIndex(of: "+"), text[plus...].hasPrefix("+0x") else { return text }
    return String(text[..<plus])
  }

  /// Adds the chain's rows as far as the batch has room.
  mutating func emit(to batch: inout EventBatch, _ directory: EventDirectory) {
    guard isOpen else { return }
    if !kernel.isEmpty {
      guard !batch.isFull else { return }
      append(.kernelStack, kernel, to: &batch, directory)
      kernel.removeAll(keepingCapacity: true)
    }
    if !user.isEmpty {
      guard !batch.isFull else { return }
      append(.userStack, user, to: &batch, directory)
      user.removeAll(keepingCapacity: true)
    }
    isOpen = false
  }

  private func append(
    _ kind: EventKind, _ frames: [UInt64], to batch: inout EventBatch, _ directory: EventDirectory
  ) {
    let words = batch.append(
      timestamp: timestamp, cpu: cpu, event: kind.rawValue, task: task, words: 1)
    words[0] = directory.chain(of: frames)
  }
}
