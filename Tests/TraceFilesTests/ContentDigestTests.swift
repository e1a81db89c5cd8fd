import Foundation
import Testing
import TraceBuilding

@testable import TraceFiles

@Suite struct ContentDigestTests {
  /// What `xxhsum -H64` (xxhash 0.8.1) prints for these texts.
  @Test(arguments: [
    ("", "ef46db3751d8e999"), ("a", "d24ec4f1a98c6e5b"), ("abc", "44bc2cf5ad770999"),
    ("The quick brown fox jumps over the lazy dog", "0b242d361fda71bc"),
  ])
  func itIsXXH64(_ text: String, _ digits: String) {
    #expect(TraceInput.contentDigest(of: Array(text.utf8)) == "xxh64:\(digits)")
  }

  /// Bytes come in pieces; where they are cut makes no difference.
  @Test func piecesAreOneText() {
    var random = SplitMix64(seed: 3)
    let bytes = (0..<200).map { _ in UInt8.random(in: 0...255, using: &random) }
    func digest(_ cuts: [Int]) -> UInt64 {
      var digest = ContentDigest()
      bytes.withUnsafeBytes { bytes in
        let view = ByteView(start: bytes.baseAddress.unsafelyUnwrapped, count: bytes.count)
        for (from, to) in zip([0] + cuts, cuts + [bytes.count]) {
          digest.absorb(view.suffix(from: from).slice(0, to - from).unsafelyUnwrapped)
        }
      }
      return digest.value
    }
    for _ in 0..<100 {
      let cuts = (0..<Int.random(in: 1...6, using: &random))
        .map { _ in Int.random(in: 0...200, using: &random) }.sorted()
      #expect(digest(cuts) == digest([]))
    }
  }

  @Test func compressionAsAWholeIsNotPartOfATrace() throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let plain = Fixture.path("formats/td-a-one-v6.dat")
    let copy = folder.appending(path: "copy.dat")
    try FileManager.default.copyItem(at: URL(filePath: plain), to: copy)
    let digest = try TraceInput(plain).contentDigest
    #expect(try TraceInput(copy.path).contentDigest == digest)
    var bytes = try Data(contentsOf: copy)
    bytes[bytes.count / 2] ^= 1
    try bytes.write(to: copy)
    #expect(try TraceInput(copy.path).contentDigest != digest)
  }
}
