/// A ``FilterRequest`` made ready for one trace: takes out the rows that are not wanted.
///
/// Every row is either in or out by itself, whatever the others are, so filters that share nothing
/// and together leave nothing out split every count. A thread is called what it was called at that
/// moment where the trace tells (perf.data, text), else by the one name that the trace has for it; its
/// process is the last that the trace gives.
public struct EventFilter {
  /// What the user asked for.
  public let request: FilterRequest
  /// First time that is in.
  public let start: UInt64
  /// First time that no longer is; nil without such.
  public let end: UInt64?
  private let names: EventDirectory
  /// Which threads are in, of those that a row was seen of: as many as there are different ones.
  public private(set) var tasks = TaskSelection()
  /// By directory index of the reader at hand.
  private var eventVerdicts: [Bool] = []

  /// A filter for an instance whose times go from `first` to `last`.
  ///
  /// `directory` holds names and processes after the whole trace was read.
  public init(
    _ request: FilterRequest, facts: TraceFacts, unit: TimeUnit, first: UInt64?, last: UInt64?,
    directory: EventDirectory
  ) throws(FilterError) {
    if request.cpus != nil, !facts.hasCPUColumn {
      throw FilterError("--cpu: this dialect has no CPU column")
    }
    if request.asksForTasks, !facts.hasTaskColumn {
      throw FilterError("--pid, --tid and --comm: this dialect does not say which task ran")
    }
    self.request = request
    do throws(FilterError) {
      (start, end) = try request.time?.resolved(unit, first: first, last: last) ?? (0, nil)
    } catch {
      throw FilterError("--time: \(error)")
    }
    names = directory
  }

  private mutating func wants(task: Int32, at time: UInt64) -> Bool {
    if let known = tasks.verdict(task, at: time) { return known }
    tasks.judge(task, by: request, names)
    return tasks.contains(task, at: time)
  }

  /// Whether a moment is in.
  @inline(__always)
  public func wants(time: UInt64) -> Bool {
    guard time >= start else { return false }
    guard let end else { return true }
    return time < end
  }

  /// Takes the rows that are not wanted out of `batch`.
  public mutating func apply(to batch: inout EventBatch, _ directory: EventDirectory) {
    while eventVerdicts.count < directory.names.count {
      eventVerdicts.append(request.wants(directory.names[eventVerdicts.count]))
    }
    let asksForTasks = request.asksForTasks
    let events = eventVerdicts
    var lastTask: Int32?
    var isTaskWanted = true
    var kept = 0
    for row in 0..<batch.count {
      // Tasks first: the verdicts are to hold every one that is seen.
      if asksForTasks, batch.task(row) != lastTask {
        let task = batch.task(row)
        isTaskWanted = wants(task: task, at: batch.timestamp(row))
        lastTask = tasks.isSteady(task) ? task : nil
      }
      guard isTaskWanted, events[Int(batch.event(row))], wants(time: batch.timestamp(row)) else {
        continue
      }
      if let cpus = request.cpus, !cpus.contains(Int(batch.cpu(row))) { continue }
      batch.copyRow(row, to: kept)
      kept += 1
    }
    batch.keepFirst(kept)
  }
}
