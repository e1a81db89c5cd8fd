import Foundation
import Testing
import TraceEvents
import TraceWriting

@Test func smoke() throws {
  for (name, version) in [("6", TraceDatVersion.six), ("7n", .seven(.none)), ("7z", .seven(.zstd)), ("7g", .seven(.zlib))] {
    var o = TraceDatOptions(cpus: 4, version: version)
    o.instances = ["instA"]
    o.names.tasks = [(100, "a b"), (200, "kw/0:1")]
    o.names.texts = ["a b", "kw/0:1"]
    var w = try TraceDatWriter.create("/tmp/w\(name).dat", o)
    for cpu in [0, 1, 3] {
      try w.begin(cpu: cpu)
      var t: UInt64 = 1_000_000_000
      for i in 0..<3000 {
        t += UInt64(i % 1000 == 0 ? 500_000_000 : 777)
        try w.append(TraceRow(.tlbFlush, cpu: UInt16(cpu), task: 100, time: t, UInt64(i % 5), UInt64(bitPattern: Int64(i % 3 - 1))))
        try w.append(TraceRow(.schedSwitch, cpu: UInt16(cpu), task: 100, time: t + 5, 100, 200, 1, 0, 1))
        if i == 1500 { try w.noteLost(cpu == 0 ? 42 : nil) }
        try w.append(TraceRow(.csdQueueCPU, cpu: UInt16(cpu), task: 100, time: t + 6, 1, 0xffff_ffff_811a_0020, FunctionName.flushTLBFunction, 0xffff888000001000))
        try w.append(TraceRow(.ipiSendCPUMask, cpu: UInt16(cpu), task: 100, time: t + 7, 0xd, 0xffff_ffff_811a_0020, 0))
        try w.append(TraceRow(.print, cpu: UInt16(cpu), task: 100, time: t + 7, 0))
      }
    }
    try w.beginNextInstance()
    try w.begin(cpu: 2)
    try w.append(TraceRow(.tlbFlush, cpu: 2, task: 100, time: 1_000_500_000, 3, 7))
    try w.finish()
  }
}
