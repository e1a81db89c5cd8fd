/// What the numbers of the `timestamps` column mean.
public enum TimeUnit: Sendable, Equatable {
  /// Nanoseconds of the trace clock. `resolution` is 1, or 1000 where the text prints microseconds.
  case nanoseconds(resolution: UInt64)
  /// Nanoseconds since the first event or the previous one: order and gaps, no absolute time.
  case relativeNanoseconds(resolution: UInt64)
  /// Ticks of a clock of unknown rate (`x86-tsc`, `counter`, `uptime`).
  case ticks
  /// The dialect shows no time; rows are numbered in file order.
  case none
}

/// One ring buffer of a trace: the top one or a named instance.
public struct TraceInstance: Sendable, Equatable {
  /// Empty for the top buffer.
  public var name: String
  /// The trace clock, nil where the format does not tell.
  public var clock: String?
  /// What its timestamps mean.
  public var timeUnit: TimeUnit

  /// An instance.
  public init(name: String, clock: String?, timeUnit: TimeUnit) {
    self.name = name
    self.clock = clock
    self.timeUnit = timeUnit
  }
}

/// One NUMA node, as far as the trace tells.
public struct NodeFacts: Sendable, Equatable {
  /// Node number.
  public var number: Int
  /// Memory, KiB; nil where not told.
  public var memoryKiB: UInt64?
  /// CPUs in the kernel's list form (`0-3`).
  public var cpuList: String?

  /// A node.
  public init(number: Int, memoryKiB: UInt64?, cpuList: String?) {
    self.number = number
    self.memoryKiB = memoryKiB
    self.cpuList = cpuList
  }
}

/// What a trace says about itself and the machine that made it.
public struct TraceFacts: Sendable {
  /// The dialect: `trace.dat/7`, `trace.dat/6`, `perf.data`, `perf.data/pipe`, `perf.data/dir`,
  /// `ftrace-text`, `trace-cmd-text`, `perf-script-text`.
  public var format: String
  /// Compression of the whole file: `gzip`, `zstd` or nil.
  public var compression: String?
  /// Buffers, the top one first where it exists.
  public var instances: [TraceInstance]
  /// CPUs of the traced machine; nil where the dialect does not tell.
  public var cpuCount: Int?
  /// Whether rows carry CPU numbers.
  public var hasCPUColumn = true
  /// Whether rows carry thread ids.
  public var hasTaskColumn = true
  /// Bytes of a page of the traced machine, where told.
  public var pageSize: Int?
  /// `uname -r`, where told.
  public var kernelRelease: String?
  /// Name of the traced machine, where told.
  public var hostName: String?
  /// Architecture, where told.
  public var architecture: String?
  /// The recording command, where told.
  public var commandLine: String?
  /// NUMA nodes, where told.
  public var nodes: [NodeFacts] = []
  /// The word that `csd` events hold for `flush_tlb_func`, where the trace's symbols tell.
  public var flushTLBFunction: UInt64?
  /// Other facts worth showing, in order: (name, value).
  public var remarks: [(name: String, value: String)] = []

  /// Facts of a trace in `format`.
  public init(format: String, instances: [TraceInstance]) {
    self.format = format
    self.instances = instances
  }
}
