import Testing
import TraceEvents

@Suite struct EventBatchTests {
  @Test func rowsComeBackAsWritten() {
    var batch = EventBatch()
    for number in 0..<100 {
      let payload = batch.append(
        timestamp: UInt64(number) * 7, cpu: UInt16(number % 4), event: EventKind.tlbFlush.rawValue,
        task: Int32(number), words: 2)
      payload[0] = UInt64(number % 6)
      payload[1] = UInt64(bitPattern: Int64(-number))
    }
    #expect(batch.count == 100)
    #expect(batch.wordCount == 200)
    for number in 0..<100 {
      #expect(batch.timestamp(number) == UInt64(number) * 7)
      #expect(batch.cpu(number) == UInt16(number % 4))
      #expect(batch.kind(number) == .tlbFlush)
      #expect(batch.task(number) == Int32(number))
      #expect(batch.word(number, TLBFlush.reason) == UInt64(number % 6))
      #expect(batch.signedWord(number, TLBFlush.pages) == Int64(-number))
    }
  }

  @Test func isFullBeforeTheColumnsOverflow() {
    var batch = EventBatch()
    while !batch.isFull { _ = batch.append(timestamp: 0, cpu: 0, event: 0, task: 0, words: 0) }
    #expect(batch.count == EventBatch.capacity)
    batch.removeAll()
    #expect(batch.count == 0)
    while !batch.isFull {
      _ = batch.append(
        timestamp: 0, cpu: 0, event: 0, task: 0, words: EventBatch.wordsPerRowMax)
    }
    #expect(batch.wordCount <= EventBatch.wordCapacity)
  }

  @Test(arguments: [[], [0], [63], [0, 1, 63, 64, 127, 200], Array(0..<256)])
  func masksComeBack(_ cpus: [Int]) {
    var batch = EventBatch()
    let payload = batch.append(
      timestamp: 0, cpu: 0, event: EventKind.ipiSendCPUMask.rawValue, task: 0, words: 3)
    var limbs = [UInt64](repeating: 0, count: 4)
    for cpu in cpus { limbs[cpu / 64] |= 1 << UInt64(cpu % 64) }
    payload[IPISend.target] = batch.appendMask(limbs)
    let mask = batch.cpuMask(row: 0, slot: IPISend.target)
    #expect(mask == cpus)
  }

  @Test func absentWordsAreNoValues() {
    var batch = EventBatch()
    let payload = batch.append(
      timestamp: 0, cpu: 0, event: EventKind.pageFreeBatched.rawValue, task: 0, words: 2)
    payload[PageFree.pfn] = 77
    payload[PageFree.order] = EventBatch.absent
    #expect(batch.value(0, PageFree.pfn) == 77)
    #expect(batch.value(0, PageFree.order) == nil)
  }
}
