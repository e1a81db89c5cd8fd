import Testing
import TraceEvents

@Suite struct CallChainsTests {
  @Test func chainsAreNumberedOnceWithCallersFirst() {
    var chains = CallChains()
    #expect(chains.add([]) == CallChains.none)
    let deep = chains.add([3, 2, 1])
    #expect(chains.frames(deep) == [3, 2, 1])
    #expect(chains.add([3, 2, 1]) == deep)
    #expect(chains.add([2, 1]) == chains.caller(deep))
    // The same function in another place is another path.
    #expect(chains.add([3]) != deep)
    #expect(chains.count == 5)
    for chain in 1..<UInt32(chains.count) { #expect(chains.caller(chain) < chain) }
  }

  @Test func manyChainsEqualADictionary() {
    var chains = CallChains()
    var known: [[UInt64]: UInt32] = [:]
    var state: UInt64 = 7
    func random(_ limit: UInt64) -> UInt64 {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return state >> 33 % limit
    }
    for _ in 0..<20_000 {
      let frames = (0..<random(6)).map { _ in random(9) &* 0xffff_ffff_8100_0000 }
      let number = chains.add(frames)
      #expect(known[frames] == nil || known[frames] == number)
      known[frames] = number
    }
    #expect(Set(known.values).count == known.count)
    for (frames, number) in known { #expect(chains.frames(number) == frames) }
    #expect(chains.crowdedOut == 0)
  }

  @Test func tooDeepChainsKeepTheirInnermostFrames() {
    var chains = CallChains()
    let frames = (1...65_536).map { UInt64($0) }
    let number = chains.add(frames)
    #expect(chains.frames(number) == Array(frames.prefix(CallChains.depthMax)))
    #expect(chains.cut == 1)
  }
}
