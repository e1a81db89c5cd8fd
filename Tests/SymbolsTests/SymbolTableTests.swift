import Testing
import TraceBuilding

@testable import Symbols

struct SymbolTableTests {
  private func table(_ rows: [(UInt64, UInt64, SymbolTableBuilder.Binding, String)]) -> SymbolTable
  {
    var builder = SymbolTableBuilder()
    for (start, size, binding, name) in rows {
      let added = Array(name.utf8).withUnsafeBytes {
        builder.add(start: start, size: size, binding: binding, name: $0)
      }
      #expect(added)
    }
    return builder.table()
  }

  @Test func ofSeveralAtOneAddressPerfsChoiceStays() {
    func chosen(
      _ a: (UInt64, SymbolTableBuilder.Binding, String),
      _ b: (UInt64, SymbolTableBuilder.Binding, String)
    ) -> String {
      let table = table([(16, a.0, a.1, a.2), (16, b.0, b.1, b.2), (64, 8, .global, "end")])
      #expect(table.count == 2)
      return table.name(0)
    }
    // Without a size the first ends where the second begins, and so is empty.
    #expect(chosen((0, .global, "a"), (0, .local, "b")) == "b")
    #expect(chosen((8, .weak, "a"), (8, .local, "b")) == "b")
    #expect(chosen((8, .local, "a"), (8, .global, "b")) == "b")
    #expect(chosen((8, .global, "__a"), (8, .global, "b")) == "b")
    #expect(chosen((8, .global, "a"), (8, .global, "longer")) == "longer")
    #expect(chosen((8, .global, "SyS_a"), (8, .global, "sys_a")) == "sys_a")
    #expect(chosen((8, .global, "sys_a"), (8, .global, "sys_b")) == "sys_a")
  }

  @Test func lookUpEqualsTheLinearOne() {
    var random = SplitMix64(seed: 6)
    for _ in 0..<200 {
      let rows = (0..<Int.random(in: 0...40, using: &random)).map { index in
        (
          UInt64.random(in: 0...200, using: &random), UInt64.random(in: 0...9, using: &random),
          SymbolTableBuilder.Binding.global, "s\(index)"
        )
      }
      let table = table(rows)
      for address in UInt64(0)...220 {
        let before = (0..<table.count).last { table.start($0) <= address }
        let expected = before.flatMap {
          address < table.end($0) || address == table.start($0)
            ? SymbolPlace(index: $0, offset: address - table.start($0)) : nil
        }
        #expect(table.place(of: address) == expected)
      }
    }
  }

  @Test func nothingOverflowsAtTheTopOfTheAddresses() {
    let table = table([(.max, 0, .local, "last"), (.max - 1, .max, .local, "wide")])
    #expect(table.place(of: .max)?.index == 1)
    #expect(table.place(of: .max - 1)?.index == 0)
    #expect(table.place(of: 0) == nil)
  }

  @Test func namesAreDemangled() {
    #expect(Demangling.sourceName("_ZN3foo3barEi") == "foo::bar(int)")
    #expect(Demangling.sourceName("$s4main3fooyyF") == "main.foo() -> ()")
    #expect(Demangling.sourceName("flush_tlb_func") == "flush_tlb_func")
    #expect(Demangling.sourceName("_Znonsense!") == "_Znonsense!")
    let long = "_Z" + String(repeating: "x", count: 10_000)
    #expect(Demangling.sourceName(long) == long)
  }

  /// Names that double at every step: what they stand for would not fit into any memory.
  @Test func namesThatExplodeStayMangled() {
    func reference(_ number: Int) -> String {
      number == 0 ? "S_" : "S" + String(number - 1, radix: 36).uppercased() + "_"
    }
    func cxx(_ steps: Int) -> String {
      (0..<steps).reduce("_Z1f1AIiiE") {
        $0 + "1BI" + reference(2 * $1 + 1) + reference(2 * $1 + 1) + "E"
      }
    }
    #expect(
      Demangling.sourceName(cxx(2)) == "f(A<int, int>, B<A<int, int>, A<int, int> >, "
        + "B<B<A<int, int>, A<int, int> >, B<A<int, int>, A<int, int> > >)")
    #expect(Demangling.cxxReferences(Array(cxx(60).utf8)) == 120)
    #expect(Demangling.sourceName(cxx(60)) == cxx(60))
    #expect(Demangling.swiftReferences(Array("$s4Apps3AbcAabCA20aA".utf8)) == 3 + 20 + 1)
    let swift = "$s4main3fooyySi_" + String(repeating: "A2B", count: 200) + "tF"
    #expect(Demangling.sourceName(swift) == swift)
    #expect(
      Demangling.sourceName("$s4main3BoxC3addyA2CF").hasPrefix("main.Box.add"))
  }

  @Test func buildIDsCompareWithoutPadding() throws {
    let short = try #require(BuildID(hexadecimal: "0123456789abcdef0123456789ABCDEF"))
    let padded = try #require(BuildID(short.bytes + [0, 0, 0, 0]))
    let other = try #require(BuildID(short.bytes + [0, 0, 0, 1]))
    #expect(short.matches(padded) && padded.matches(short) && !short.matches(other))
    #expect("\(short)" == "0123456789abcdef0123456789abcdef")
    #expect(BuildID([0, 0]) == nil)
    #expect(BuildID(hexadecimal: "0g") == nil)
  }
}
