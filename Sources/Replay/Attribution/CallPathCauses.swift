public import TraceEvents

/// Tells what flushes are for from their kernel call paths, by ``KernelPathRules``.
///
/// Of each frame of the tree of chains what its path says is computed once, from what the path of
/// its callers says; the name of each address is asked for once.
public struct CallPathCauses {
  /// What a path says: the number of its rule, and whether kswapd is on it.
  private struct Verdict {
    var rule = Verdict.nothing
    var isInKswapd = false

    static let nothing = UInt8.max
  }

  private let directory: EventDirectory
  private let name: (UInt64) -> String?
  private var verdicts: [Verdict] = [Verdict()]
  private var known: [UInt64: Verdict] = [:]

  /// Causes of the chains of `directory`; `name` gives the function of a frame that is an address.
  public init(_ directory: EventDirectory, name: @escaping (UInt64) -> String?) {
    self.directory = directory
    self.name = name
  }

  /// What the chain was called for; nil where no rule knows any of its functions.
  public mutating func cause(_ chain: UInt32) -> FlushCause? {
    let chains = directory.callChains
    for number in verdicts.count..<max(chains.count, verdicts.count) {
      let number = UInt32(number)
      var verdict = verdicts[Int(chains.caller(number))]
      let own = self.verdict(ofFrame: chains.frame(number))
      // An operation holds for all that it calls until another one begins; of others the first
      // does.
      let isOperation = Int(own.rule) < KernelPathRules.operationCount
      verdict.rule = isOperation ? own.rule : min(verdict.rule, own.rule)
      verdict.isInKswapd = verdict.isInKswapd || own.isInKswapd
      verdicts.append(verdict)
    }
    let verdict = verdicts[Int(chain)]
    guard verdict.rule != Verdict.nothing else { return nil }
    let rule = KernelPathRules.all[Int(verdict.rule)]
    return verdict.isInKswapd ? rule.causeInKswapd ?? rule.cause : rule.cause
  }

  private mutating func verdict(ofFrame word: UInt64) -> Verdict {
    if let found = known[word] { return found }
    var verdict = Verdict()
    if let function = FunctionName.symbol(word, in: directory) ?? name(word) {
      verdict.rule = KernelPathRules.rule(of: function).map { UInt8($0) } ?? Verdict.nothing
      verdict.isInKswapd = function == KernelPathRules.kswapd
    }
    known[word] = verdict
    return verdict
  }
}
