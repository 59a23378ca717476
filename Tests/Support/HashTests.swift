import Support
import Testing

@Suite struct HashTests {
  @Test func knownValues() {
    #expect(ContentHash.of("").description == "00000000000000000000000000000000")
    #expect(ContentHash.of("a").description == "85555565f6597889e6b53a48510e895a")
    #expect(ContentHash.of("hello, world").description == "342fac623a5ebc8e4cdcbc079642414d")
    #expect(ContentHash.of("0123456789abcdef").description == "4be06d94cf4ad1a787c35b5c63a708da")
    let long = Array(repeating: Array(UInt8.min...UInt8.max), count: 3).flatMap { $0 } + Array("xyz".utf8)
    #expect(ContentHash.of(long).description == "8ad796c487f97d1073945ec4ebd48a5f")
  }

  @Test func theCutDoesNotMatter() {
    let bytes = (0..<100).map { UInt8(truncatingIfNeeded: $0 * 7) }
    let whole = ContentHash.of(bytes)
    for first in 0...bytes.count {
      for second in stride(from: first, through: bytes.count, by: 13) {
        var hasher = ContentHasher()
        hasher.add(Array(bytes[..<first]))
        hasher.add(Array(bytes[first..<second]))
        hasher.add(Array(bytes[second...]))
        #expect(hasher.finish() == whole)
      }
    }
  }

  @Test func textsDoNotRunTogether() {
    var one = ContentHasher()
    one.add("ab")
    one.add("c")
    var other = ContentHasher()
    other.add("a")
    other.add("bc")
    #expect(one.finish() != other.finish())
  }
}
