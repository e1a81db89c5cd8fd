enum Explanations {
  static func unit(of metric: ReportMetric) -> String? { metric.unit }
}
