import IR
import TestSupport
import Testing

@testable import Codegen

/// Offsets for buffers that live at certain times.
@Suite struct OffsetSearchTests {
  private func items(_ lives: [(bytes: Int, first: Int, last: Int)]) -> [OffsetSearch.Item] {
    lives.enumerated().map {
      OffsetSearch.Item(
        buffer: BufferID($0.offset), bytes: $0.element.bytes, first: $0.element.first, last: $0.element.last)
    }
  }

  private func random(_ count: Int, span: Int, seed: UInt64) -> [OffsetSearch.Item] {
    var random = Seeded(seed)
    return items(
      (0..<count).map { _ in
        let first = random.integer(in: 0...count)
        let bytes = 64 * random.integer(in: 0...(random.integer(in: 0...9) == 0 ? 400 : 20))
        return (bytes, first, first + random.integer(in: 0...span))
      })
  }

  /// No two that live at once share a byte, and all end where the search says.
  private func check(_ items: [OffsetSearch.Item], _ result: OffsetSearch.Result) {
    var overlaps = 0
    for (number, item) in items.enumerated() {
      for other in items.indices.dropFirst(number + 1)
      where item.first <= items[other].last && items[other].first <= item.last {
        let (a, b) = (result.offsets[number], result.offsets[other])
        if a < b + items[other].bytes, b < a + item.bytes { overlaps += 1 }
      }
    }
    #expect(overlaps == 0)
    let ends = zip(items, result.offsets).map { $0.bytes + $1 }
    #expect(result.bytes == ends.max() ?? 0 && result.offsets.allSatisfy { $0 >= 0 && $0 % 64 == 0 })
  }

  @Test func nothing() { #expect(OffsetSearch([]).run().bytes == 0) }

  @Test func findsWhatOrdersMiss() {
    // The largest first, the longest first and the earliest first each leave a gap that fits nothing.
    var worst = 0.0
    for seed in 0..<40 {
      let lives = random(60, span: 12, seed: UInt64(seed))
      let search = OffsetSearch(lives)
      let result = search.run()
      check(lives, result)
      #expect(result.bytes >= search.lowerBound)
      worst = max(worst, Double(result.bytes) / Double(search.lowerBound))
    }
    #expect(worst < 1.25, "\(worst)")
  }

  @Test func isTheSameEachTime() {
    let lives = random(80, span: 20, seed: 5)
    #expect(OffsetSearch(lives).run().offsets == OffsetSearch(lives).run().offsets)
  }

  /// Large graphs take moments, whether few live at once or all.
  @Test(arguments: [20, 10_000]) func largeGraphs(_ span: Int) {
    let lives = random(10_000, span: span, seed: 6)
    let clock = ContinuousClock()
    let start = clock.now
    let result = OffsetSearch(lives).run()
    // A hundred times what it takes on a machine at rest, so that only a quadratic search fails.
    #expect(clock.now - start < .seconds(20))
    if span == 20 { check(lives, result) }
  }
}
