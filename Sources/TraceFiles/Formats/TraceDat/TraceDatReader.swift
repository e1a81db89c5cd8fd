import TraceEvents

struct TraceDatReader: TraceReader {
  var facts = TraceFacts(format: "trace.dat/7", instances: [])
  let directory = EventDirectory()
  var statistics = IngestStatistics()

  init(_ part: TraceFilePart, _ compression: Compression?, _ request: ReadRequest)
    throws(TraceError)
  {
    throw TraceError("trace.dat is read by the next commit")
  }

  mutating func next(into batch: inout EventBatch) throws(TraceError) -> Bool { false }
}
