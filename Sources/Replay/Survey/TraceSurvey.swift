public import TraceEvents

/// What a trace holds, instance by instance: the first pass over any input.
///
/// It needs no order between CPUs. It finds the marks that a window can be taken from; a second
/// survey with a window counts what lies inside.
public struct TraceSurvey: Sendable {
  /// The kinds whose payload a survey looks at; a reader may leave out the others'.
  public static let payloads = EventKindSet(InstanceSurvey.detailedKinds)

  /// One a buffer, in the order of ``TraceFacts/instances``.
  public private(set) var instances: [InstanceSurvey] = []
  private let window: TimeWindow?

  /// Counts rows inside `window`, or all of them.
  public init(window: TimeWindow? = nil) { self.window = window }

  /// Counts the rows of `batch`.
  public mutating func absorb(_ batch: borrowing EventBatch, directory: EventDirectory) {
    while instances.count <= batch.instance { instances.append(InstanceSurvey()) }
    instances[batch.instance].absorb(batch, window: window, directory: directory)
  }

  /// The instance that a question without `--instance` means: the top buffer if it has events, else
  /// the only one that has, else the first.
  public var mainInstance: Int {
    if let top = instances.first, top.eventTotal > 0 { return 0 }
    let filled = instances.indices.filter { instances[$0].eventTotal > 0 }
    return filled.count == 1 ? filled[0] : 0
  }
}
