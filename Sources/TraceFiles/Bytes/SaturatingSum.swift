extension Int {
  /// The sum, or the greatest number if it is too great: counts of losses come from the file.
  func saturatingSum(_ other: UInt64) -> Int {
    let (sum, overflow) = addingReportingOverflow(Int(clamping: other))
    return overflow ? .max : sum
  }
}
