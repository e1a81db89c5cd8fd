/// How a payload word of form ``FieldForm/function`` stands for a kernel function.
///
/// Binary dialects record an address, text dialects print a symbol. An address stays itself. A
/// symbol becomes a number in the non-canonical hole of the x86-64 address space, where no kernel or
/// user address can lie: ``nameBase`` plus an index. Index 0 is `flush_tlb_func`, the one function
/// that a shootdown replay must recognise; the others are directory strings.
public enum FunctionName {
  /// First number of the encoded names.
  public static let nameBase: UInt64 = 0x0100_0000_0000_0000
  /// `flush_tlb_func` (Linux 6.12 `arch/x86/mm/tlb.c`): what a shootdown runs on its targets.
  public static let flushTLBFunction: UInt64 = nameBase
  /// What that function is called in the kernel.
  public static let flushTLBFunctionSymbol = "flush_tlb_func"

  /// The word of a function that the dialect prints by name.
  public static func encode(_ symbol: String, in directory: EventDirectory) -> UInt64 {
    if symbol == flushTLBFunctionSymbol { return flushTLBFunction }
    return nameBase + 1 + directory.intern(symbol)
  }

  /// The name that `word` encodes, nil if it is an address.
  public static func symbol(_ word: UInt64, in directory: EventDirectory) -> String? {
    guard word >= nameBase, word < nameBase + 1 + UInt64(EventDirectory.stringsMax) else {
      return nil
    }
    return word == nameBase ? flushTLBFunctionSymbol : directory.string(word - nameBase - 1)
  }
}
