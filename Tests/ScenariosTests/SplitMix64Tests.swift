import Testing

@testable import Scenarios

/// First outputs for seed 0 as the reference program of the paper's authors prints them.
@Test func theSeedDecides() {
  var generator = SplitMix64(seed: 0)
  #expect(generator.next() == 0xe220_a839_7b1d_cdaf)
  #expect(generator.next() == 0x6e78_9e6a_a1b9_65f4)
}
