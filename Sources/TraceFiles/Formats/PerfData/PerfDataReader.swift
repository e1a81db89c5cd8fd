import TraceEvents

struct PerfDataReader: TraceReader {
  var facts = TraceFacts(format: "perf.data", instances: [])
  let directory = EventDirectory()
  var statistics = IngestStatistics()

  init(_ parts: [TraceFilePart], _ compression: Compression?, _ request: ReadRequest)
    throws(TraceError)
  {
    throw TraceError("perf.data is read by the next commit")
  }

  mutating func next(into batch: inout EventBatch) throws(TraceError) -> Bool { false }
}
