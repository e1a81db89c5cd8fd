import ArgumentParser
import Machine
import Reporting
import TraceEvents
import TraceFiles

#if canImport(Glibc)
  import Glibc
#endif

/// `tlbreplay profile`: the reuse times of a workload, for the TLB misses of `report`.
struct ProfileCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "profile",
    abstract: "Measure a workload's reuse times once, from a memory trace, for report --profile.",
    discussion: """
      Examples:
        valgrind --tool=lackey --trace-mem=yes PROGRAM 2>trace.txt
        tlbreplay profile trace.txt -o workload.profile
        valgrind --tool=lackey --trace-mem=yes PROGRAM 2>&1 >/dev/null | tlbreplay profile - -o FILE
        tlbreplay profile perf.data -o popularity.profile

      LACKEY is the text of Valgrind's lackey, maybe gzip or zstd compressed, or a perf.data with \
      sampled data addresses (perf mem record), which gives page popularity only: reuse times then \
      follow if accesses are independent of each other, and results are labelled IRM.

      Start-up differs from a steady phase: windows keep them apart, --skip leaves start-up out.

      With --machine the same accesses go through that machine's TLBs one by one, also with a full \
      flush every N of them:
        tlbreplay profile trace.txt -o FILE --machine sapphire-rapids --flush-every 30000
      """)

  @Argument(
    help: "A memory trace, or - for standard input.", completion: .file())
  var lackey: String

  @Option(
    name: .customShort("o"), help: ArgumentHelp("Write the profile to FILE.", valueName: "FILE"),
    completion: .file())
  var output: String

  @Option(help: ArgumentHelp("Accesses of a window.", valueName: "N"))
  var window: UInt64 = ReuseRecorder.windowLengthDefault

  @Option(help: ArgumentHelp("Leave out the first N accesses.", valueName: "N"))
  var skip: UInt64 = 0

  @Option(help: ArgumentHelp("Take no more than N accesses.", valueName: "N"))
  var limit: UInt64?

  @Option(
    help: ArgumentHelp(
      "Follow one page in N, chosen by a hash: for footprints of many thousand pages.",
      valueName: "N"))
  var sample: UInt64 = 1

  @Option(
    help: ArgumentHelp(
      "Simulate the accesses exactly on a machine (see tlbreplay machines) or a machine file.",
      valueName: "NAME|FILE"))
  var machine: String?

  @Option(
    help: ArgumentHelp(
      "With --machine: also with a full flush every N accesses. Repeatable, up to 8.",
      valueName: "N"))
  var flushEvery: [UInt64] = []

  @Flag(help: "With --machine: print the walks as JSON.")
  var json = false

  @Flag(help: "Show no progress on a terminal.")
  var noProgress = false

  func validate() throws {
    guard window >= 1000 else { throw ValidationError("--window takes 1000 accesses or more.") }
    guard (1...1 << 20).contains(sample) else {
      throw ValidationError("--sample takes 1 to 1048576.")
    }
    if limit == 0 { throw ValidationError("--limit takes 1 access or more.") }
    guard flushEvery.count <= 8, !flushEvery.contains(0) else {
      throw ValidationError("--flush-every takes 1 access or more, up to 8 times.")
    }
    if machine == nil, json || !flushEvery.isEmpty {
      throw ValidationError("--flush-every and --json need --machine.")
    }
  }

  func run() throws {
    let model = try machine.map { try MachineFile.machine($0) }
    let input = try AccessInput(lackey)
    var reader = try input.makeReader()
    let progress = Progress(isHidden: noProgress)
    let profile: ReuseProfile
    var walks = model.map { ExactWalks($0.geometry, gaps: flushEvery) }
    switch reader.source {
    case .lackey: profile = try measure(&reader, &walks, progress)
    case .samples where walks != nil:
      throw TraceError(
        "holds samples, of which no exact simulation can be made (expected a memory trace)",
        file: input.name)
    case .samples: profile = try popularity(&reader, progress)
    }
    progress.finish()
    guard profile.accesses > 0 else {
      throw TraceError("has no access behind the first \(skip)", file: input.name)
    }
    try OutputOptions.write(profile.text, toFile: output)
    writeError(Self.summary(profile, reader.statistics, input.name))
    guard let model, let walks else { return }
    try OutputOptions.print(
      WalksReport.build(
        walks, profile: profile, machine: model.name,
        entries: model.geometry.smallPageEntries, input: input.name),
      json: json)
  }

  private func measure(
    _ reader: inout any AccessReader, _ walks: inout ExactWalks?, _ progress: Progress
  ) throws -> ReuseProfile {
    var recorder = ReuseRecorder(windowLength: window, interval: sample)
    try forEachBatch(&reader, progress) {
      recorder.record($0)
      walks?.access($0)
    }
    return recorder.finish(source: .accesses)
  }

  private func popularity(_ reader: inout any AccessReader, _ progress: Progress) throws
    -> ReuseProfile
  {
    var popularity = PagePopularity()
    try forEachBatch(&reader, progress) { popularity.record($0) }
    return popularity.profile()
  }

  private func forEachBatch(
    _ reader: inout any AccessReader, _ progress: Progress, _ body: ([PageAccess]) -> Void
  ) throws {
    var batch: [PageAccess] = []
    var left = skip
    var wanted = limit ?? .max
    while wanted > 0, try reader.next(into: &batch) {
      progress.advance(by: batch.count)
      if left > 0 || wanted < UInt64(batch.count) {
        let skipped = Int(min(left, UInt64(batch.count)))
        left -= UInt64(skipped)
        batch.removeFirst(skipped)
        batch.removeLast(batch.count - Int(min(wanted, UInt64(batch.count))))
      }
      wanted -= UInt64(batch.count)
      body(batch)
    }
  }

  /// What was read and what it is good for, one fact a line.
  private static func summary(
    _ profile: ReuseProfile, _ statistics: AccessStatistics, _ name: String
  ) -> String {
    var lines = [
      "\(name): \(statistics.records) records, \(statistics.bytesRead) bytes",
      "\(profile.accesses) accesses, \(profile.windows.count) windows, \(profile.pages) pages",
    ]
    let fetches = profile.windows.reduce(0) { $0 + $1.accesses(.fetch) }
    if profile.source == .accesses, fetches > 0 {
      let perFetch = profile.accesses * 100 / fetches
      lines.append(
        "\(perFetch / 100).\(perFetch % 100 < 10 ? "0" : "")\(perFetch % 100) accesses to an "
          + "instruction: --accesses-per-second is that times instructions per second (perf stat)")
    }
    if profile.interval > 1, profile.pages < 1000 {
      lines.append(
        "only \(profile.pages) pages were followed: too few for --sample \(profile.interval)")
    }
    if profile.source == .independent {
      lines.append(
        "IRM: sampled addresses give popularity, not reuse; the shares of loads and stores are those "
          + "of their sampling periods")
    }
    for finding in statistics.ingest.findings {
      let place = finding.firstOffset.map { ", first at byte \($0)" } ?? ""
      lines.append(
        "\(finding.severity.rawValue): \(finding.name) \(finding.count) times\(place): \(finding.detail)"
      )
    }
    return lines.joined(separator: "\n") + "\n"
  }
}
