/// What a workload or a trace came to when its owner found it good.
public struct Baseline: Sendable {
  /// The document's schema.
  public static let schema = "tlbreplay.baseline/1"
  /// Probability that a metric which has not changed stays in the spread of its repetitions.
  public static let confidenceDefault = 0.99

  /// What may be compared with it.
  public enum Subject: String, Sendable, CaseIterable {
    /// The same trace again, so that what moves is the tool's doing.
    case trace
    /// New captures of the same workload, so that what moves is the workload's doing.
    case workload
  }

  /// What may be compared with it.
  public var subject: Subject
  /// Version of the tool that made it.
  public var toolVersion: String
  /// How a capture is looked at.
  public var settings: BaselineSettings
  /// See ``confidenceDefault``.
  public var confidence: Double
  /// One a trace or workload, by name.
  public var entries: [BaselineEntry]

  /// A baseline.
  public init(
    _ subject: Subject, toolVersion: String, settings: BaselineSettings,
    entries: [BaselineEntry], confidence: Double = confidenceDefault
  ) {
    self.subject = subject
    self.toolVersion = toolVersion
    self.settings = settings
    self.entries = entries.sorted { $0.name < $1.name }
    self.confidence = confidence
  }
}

/// How captures are looked at: the same options for the baseline and for what is checked.
public struct BaselineSettings: Sendable, Equatable {
  /// Policies beside the recorded run, in the order of names.
  public var policies: [BaselinePolicy]
  /// `--flush-duration`, ns.
  public var flushDuration: UInt64?
  /// `--between`.
  public var between: String?
  /// `--instance`.
  public var instance: String?
  /// Filters, an option each: `--cpu=0-3`.
  public var filters: [String]

  /// Settings.
  public init(
    policies: [BaselinePolicy], flushDuration: UInt64? = nil, between: String? = nil,
    instance: String? = nil, filters: [String] = []
  ) {
    self.policies = policies.sorted { $0.name < $1.name }
    self.flushDuration = flushDuration
    self.between = between
    self.instance = instance
    self.filters = filters
  }
}

/// A policy, and what its rules come from.
public struct BaselinePolicy: Sendable, Equatable {
  /// What stands in the place of a digest for a policy of the catalogue.
  public static let catalogue = "catalogue"
  /// Its name.
  public var name: String
  /// ``catalogue``, or the digest of the policy file.
  public var rules: String

  /// A policy.
  public init(name: String, rules: String = catalogue) {
    self.name = name
    self.rules = rules
  }
}

/// One trace, or the repetitions of one workload.
public struct BaselineEntry: Sendable {
  /// What the capture was called: its last path component.
  public var name: String
  /// Of its traces, one a repetition.
  public var digests: [String]
  /// What the figures depend on beside the workload.
  public var environment: CaptureEnvironment
  /// By name.
  public var metrics: [BaselineMetric]
  /// Its line in the file, from 1; 0 before it is in one.
  public var line = 0

  /// A metric by name.
  public subscript(_ name: String) -> BaselineMetric? { metrics.first { $0.name == name } }
}

/// Facts about a capture that must be the same on both sides, by name.
public struct CaptureEnvironment: Sendable, Equatable {
  /// Every fact that there is, in the order of files and reports.
  public static let names = ["cpus", "format", "kernel", "lost_events", "marks", "row"]
  /// Values by name; facts that the trace does not tell are "not told".
  public var facts: [String: String]

  /// Facts.
  public init(_ facts: [String: String]) { self.facts = facts }

  /// A fact.
  public subscript(_ name: String) -> String { facts[name] ?? "not told" }
}

/// One figure with what is allowed to it.
public struct BaselineMetric: Sendable, Equatable {
  /// `recorded.tlb_row`, `luf-v10.deferred`.
  public var name: String
  /// The value, or the mean over repetitions.
  public var value: Double
  /// Standard deviation of the repetitions (n - 1); nil with one.
  public var deviation: Double?
  /// Repetitions.
  public var runs: Int
  /// How far it may move.
  public var tolerance: MetricTolerance
  /// Which way it must not move.
  public var direction: MetricDirection
  /// How good the figure is: `measured`, `derived` or `modelled`.
  public var grade: String
  /// Why it matters, for those who are told that it moved.
  public var reason: String
  /// Its line in the file, from 1; 0 before it is in one.
  public var line = 0
}
