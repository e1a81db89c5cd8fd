import Machine
import Testing

@Test func aRangeHoldsItsValue() {
  let cost = ParameterRange(5, lower: 7, upper: 3, source: "none", confidence: .low)
  #expect(cost.lower == 5)
  #expect(cost.upper == 5)
}
