/// The types of records that matter.
///
/// Source: `enum perf_event_type` of include/uapi/linux/perf_event.h, `enum perf_user_event_type` of
/// tools/lib/perf/include/perf/event.h, Linux 6.12 and (83 to 86) later.
enum PerfRecord {
  /// Bytes of a record's header.
  static let headerSize = 8
  static let lost: UInt32 = 2
  static let comm: UInt32 = 3
  static let throttle: UInt32 = 5
  static let fork: UInt32 = 7
  static let sample: UInt32 = 9
  static let lostSamples: UInt32 = 13
  static let attribute: UInt32 = 64
  static let tracingData: UInt32 = 66
  static let buildID: UInt32 = 67
  static let finishedRound: UInt32 = 68
  static let auxTrace: UInt32 = 71
  static let eventUpdate: UInt32 = 78
  static let feature: UInt32 = 80
  static let compressed: UInt32 = 81
  static let compressed2: UInt32 = 83

  /// Whether a record may have this type; what is beyond is damage, not a later version.
  @inline(__always)
  static func isPossible(_ type: UInt32) -> Bool { type != 0 && type < 256 }

  /// Whether some version of perf writes records of `type`.
  static func isKnown(_ type: UInt32) -> Bool { 1...22 ~= type || 64...90 ~= type }
}

/// The header that every record begins with.
///
///     0 u32 type; 4 u16 misc; 6 u16 size, this header included
struct PerfRecordHeader {
  private let word: UInt64
  private let left: Int

  /// The header at `offset`; nil if fewer than 8 bytes are left there.
  @inline(__always)
  init?(_ window: ByteView, _ offset: Int) {
    left = window.count &- offset
    guard left >= PerfRecord.headerSize else { return nil }
    word = window.u64(offset)
  }

  /// What the record is.
  @inline(__always) var type: UInt32 { UInt32(truncatingIfNeeded: word) }
  /// Bytes of the record.
  @inline(__always) var size: Int { Int(truncatingIfNeeded: word >> 48) }

  /// Whether the record can be one, and all of it is there.
  @inline(__always)
  var isRegular: Bool {
    PerfRecord.isPossible(type) && size >= PerfRecord.headerSize && size <= left
  }

  /// Whether there is more to the record than its size tells.
  @inline(__always)
  var isSpecial: Bool {
    type >= PerfRecord.tracingData
      && (type == PerfRecord.tracingData || type == PerfRecord.auxTrace
        || type == PerfRecord.compressed || type == PerfRecord.compressed2)
  }

  /// Whether the record may change what is known about the events.
  var describesEvents: Bool {
    type == PerfRecord.attribute || type == PerfRecord.eventUpdate || type == PerfRecord.feature
  }

  /// The record at `offset` of the same window; it is regular.
  @inline(__always)
  func record(_ window: ByteView, _ offset: Int) -> ByteView {
    ByteView(start: window.start + offset, count: size)
  }
}
