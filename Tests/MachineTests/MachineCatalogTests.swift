import Machine
import Testing

@Suite struct MachineCatalogTests {
  @Test(arguments: MachineCatalog.machines)
  func everyNumberHasASource(_ machine: MachineModel) {
    #expect(!machine.name.isEmpty && !machine.summary.isEmpty && !machine.source.isEmpty)
    #expect(machine.geometry.fault == nil)
    var counts = [machine.threadsPerCore, machine.pageWalkers]
    for (_, arrays) in machine.geometry.groups {
      counts += arrays.flatMap { [$0.entries, $0.ways] }
    }
    for count in counts {
      #expect(!count.source.isEmpty)
      #expect(count.lower > 0 && count.lower <= count.expected && count.expected <= count.upper)
    }
    for range in [machine.secondLevelHitCycles, machine.walkNanoseconds] {
      #expect(!range.source.isEmpty)
      #expect(range.lower > 0 && range.lower <= range.expected && range.expected <= range.upper)
    }
    #expect(machine.geometry.pagingStructures.count == 4)
  }

  @Test func namesAreUnique() {
    let names = MachineCatalog.machines.map(\.name)
    #expect(Set(names).count == names.count)
    #expect(MachineCatalog.machine(named: MachineCatalog.defaultName) != nil)
    #expect(MachineCatalog.machine(named: "pentium") == nil)
  }

  /// As data sheets write it: entries x ways and pages of every array.
  private func sheet(_ name: String) throws -> [String: String] {
    let geometry = try #require(MachineCatalog.machine(named: name)).geometry
    var sheet: [String: String] = [:]
    for (group, arrays) in geometry.groups {
      sheet[group] = arrays.map { array in
        let pages = array.sizes.members.map(\.label).joined(separator: "+")
        return "\(array.entries.expected)x\(array.ways.expected) \(pages)"
      }.joined(separator: ", ")
    }
    return sheet
  }

  private static let paging = "32x8 , 8x4 , 4x4 , 2x2 "

  @Test func intelIsAsDumped() throws {
    let skylake = try sheet("skylake-sp")
    #expect(skylake["fetch"] == "128x8 4K, 8x8 2M")
    #expect(skylake["load"] == "64x4 4K, 32x4 2M, 4x4 1G")
    #expect(skylake["store"] == "")
    #expect(skylake["second"] == "1536x12 4K+2M, 16x4 1G")
    #expect(try sheet("cascade-lake") == skylake)
    let ice = try sheet("ice-lake-sp")
    #expect(ice["fetch"] == "128x8 4K, 16x8 2M")
    #expect(ice["load"] == "64x4 4K, 32x4 2M, 8x8 1G")
    let sapphire = try sheet("sapphire-rapids")
    #expect(sapphire["fetch"] == "256x8 4K, 32x8 2M")
    #expect(sapphire["load"] == "96x6 4K, 32x4 2M, 8x8 1G")
    for sheet in [ice, sapphire] {
      #expect(sheet["store"] == "16x16 4K+2M+1G")
      #expect(sheet["second"] == "1024x8 4K+2M, 1024x8 4K+1G")
      #expect(sheet["second_fetch"] == "")
      #expect(sheet["paging_structures"] == Self.paging)
    }
    #expect(try sheet("emerald-rapids") == sapphire)
    let isolated = MachineCatalog.machines.filter(\.isPageTableIsolated).map(\.name)
    #expect(isolated == ["skylake-sp"])
  }

  @Test func zenIsAsDumped() throws {
    let four = try sheet("zen-4")
    #expect(four["fetch"] == "64x64 4K+2M+1G")
    #expect(four["load"] == "72x72 4K+2M+1G")
    #expect(four["second"] == "3072x24 4K+2M, 64x64 1G")
    #expect(four["second_fetch"] == "512x4 4K+2M")
    let five = try sheet("zen-5")
    #expect(five["load"] == "96x96 4K+2M+1G")
    #expect(five["second"]?.hasPrefix("4096x") == true)
    #expect(five["second_fetch"]?.hasPrefix("2048x") == true)
    let broadcasting = MachineCatalog.machines.filter(\.hasBroadcastFlush).map(\.name)
    #expect(broadcasting == ["zen-4", "zen-5"])
  }
}
