import Replay
import Testing
import TraceBuilding
import TraceEvents

@Suite struct MigrationEntryTests {
  @Test func decodesACapturedEntry() {
    // From a 6.18 guest: type 30, young and dirty, frame 0x101c1c.
    let entry = MigrationEntry(bits: 0xf7ff_e7ff_dfc7_c600)
    #expect(entry.type == 30)
    #expect(entry.sourceFrame == 0x10_1c1c)
    #expect(entry.isWritable(writeType: nil) == true)
    #expect(MigrationEntry(bits: 28 << 59).isWritable(writeType: nil) == false)
    #expect(MigrationEntry(bits: 29 << 59).isWritable(writeType: nil) == nil)
    #expect(MigrationEntry(bits: 29 << 59).isWritable(writeType: 29) == true)
    #expect(MigrationEntry(bits: 24 << 59).isWritable(writeType: 26) == false)
    #expect(MigrationEntry(bits: 28 << 59).isWritable(writeType: 26) == nil)
  }

  @Test func learnsTheWritableTypeFromWhatComesBack() {
    var script = BatchScript()
    for pfn in 1...20 as ClosedRange<UInt64> {
      let isWritable = pfn % 2 == 0
      script.setEntry(cpu: 0, task: 1, pfn: pfn, type: isWritable ? 26 : 24)
      script.add(
        .removeMigrationPTE, cpu: 0, task: 1,
        [0x7000_0000_0000 + pfn << 12, isWritable ? 0x8000_0000_0001_2007 : 0x12005, 0])
    }
    var survey = MigrationEntrySurvey()
    #expect(survey.writeType == nil)
    script.forEachBatch { survey.consume($0) }
    #expect(survey.writeType == 26)
  }
}
