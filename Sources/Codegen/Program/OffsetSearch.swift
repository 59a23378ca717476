import IR

/// Looks for offsets at which buffers of known size take little memory in all.
///
/// Each attempt places the buffers in some order, every one into the lowest gap between those that live at the same
/// time. After a few orders that are often good, buffers that end above the lower bound, the peak of bytes alive, or
/// ones that live with them, move ahead in the order at random, and the change stays if no more bytes are above it than
/// before. The search ends at the bound, or when its budget is spent; it is the same for the same program.
struct OffsetSearch {
  struct Item {
    var buffer: BufferID
    /// A multiple of the alignment.
    var bytes: Int
    var first: Int
    var last: Int
  }

  let items: [Item]
  let lowerBound: Int
  /// The items that live when one does; nil where that would be too much to keep.
  private let neighbours: [[Int]]?

  /// Neighbours looked at, over all attempts: a few milliseconds' worth.
  private static let budget = 2_000_000
  /// Pairs of neighbours that are kept.
  private static let mostPairs = 4_000_000
  /// Attempts in a row without any gain before the search gives up.
  private static let patience = 400

  init(_ items: [Item]) {
    self.items = items
    lowerBound = OffsetSearch.peak(items)
    neighbours = OffsetSearch.neighbours(items)
  }

  struct Result {
    /// By item.
    var offsets: [Int]
    var bytes: Int
    /// By how much items end above the lower bound, added up.
    var excess: Int
  }

  func run() -> Result {
    let orders: [(Item, Item) -> Bool] = [
      { ($1.bytes, $0.first, $0.buffer) < ($0.bytes, $1.first, $1.buffer) },
      { ($1.area, $0.buffer) < ($0.area, $1.buffer) },
      { ($0.first, $1.bytes, $0.buffer) < ($1.first, $0.bytes, $1.buffer) },
      { ($0.length, $1.bytes, $0.buffer) > ($1.length, $0.bytes, $1.buffer) },
    ]
    var best = Result(offsets: [], bytes: Int.max, excess: Int.max)
    var bestOrder: [Int] = []
    // Without lists of neighbours each attempt looks at all pairs: the first order has to do.
    for isBefore in neighbours == nil ? Array(orders.prefix(1)) : orders {
      let order = items.indices.sorted { isBefore(items[$0], items[$1]) }
      let result = place(order)
      if result.bytes < best.bytes { (best, bestOrder) = (result, order) }
      if best.bytes <= lowerBound { return best }
    }
    return improve(best, bestOrder)
  }

  private func improve(_ start: Result, _ startOrder: [Int]) -> Result {
    guard let neighbours, items.count > 2 else { return start }
    var (best, current, order) = (start, start, startOrder)
    let cost = Swift.max(1, neighbours.reduce(items.count) { $0 + $1.count })
    var attempts = Swift.min(OffsetSearch.budget / cost, 20_000)
    var idle = 0
    var random: UInt64 = 0x9e37_79b9_7f4a_7c15
    func below(_ limit: Int) -> Int {
      random = random &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int((random >> 33) % UInt64(limit))
    }
    while attempts > 0, idle < OffsetSearch.patience, best.bytes > lowerBound {
      attempts -= 1
      idle += 1
      let above = items.indices.filter { current.offsets[$0] + items[$0].bytes > lowerBound }
      var item = above[below(above.count)]
      if below(2) == 0, !neighbours[item].isEmpty { item = neighbours[item][below(neighbours[item].count)] }
      guard let position = order.firstIndex(of: item), position > 0 else { continue }
      var candidate = order
      candidate.remove(at: position)
      candidate.insert(item, at: below(position))
      let result = place(candidate)
      guard result.excess <= current.excess else { continue }
      if result.excess < current.excess { idle = 0 }
      (current, order) = (result, candidate)
      if result.bytes < best.bytes { best = result }
    }
    return best
  }

  /// Every item into the lowest gap that is large enough, in this order.
  private func place(_ order: [Int]) -> Result {
    var offsets = [Int](repeating: -1, count: items.count)
    var (total, excess) = (0, 0)
    var taken: [(offset: Int, end: Int)] = []
    for number in order {
      let item = items[number]
      taken.removeAll(keepingCapacity: true)
      if let neighbours {
        for other in neighbours[number] where offsets[other] >= 0 {
          taken.append((offsets[other], offsets[other] + items[other].bytes))
        }
      } else {
        for (other, offset) in offsets.enumerated()
        where offset >= 0 && items[other].first <= item.last && item.first <= items[other].last {
          taken.append((offset, offset + items[other].bytes))
        }
      }
      taken.sort { $0.offset < $1.offset }
      var offset = 0
      for other in taken {
        if other.offset >= offset + item.bytes { break }
        offset = Swift.max(offset, other.end)
      }
      offsets[number] = offset
      total = Swift.max(total, offset + item.bytes)
      excess = Swift.min(excess, 1 << 60) + Swift.min(Swift.max(0, offset + item.bytes - lowerBound), 1 << 60)
    }
    return Result(offsets: offsets, bytes: total, excess: excess)
  }

  /// The most bytes that live at once.
  private static func peak(_ items: [Item]) -> Int {
    var changes: [(time: Int, bytes: Int)] = []
    for item in items {
      changes.append((item.first, item.bytes))
      // What lives to the end has no time behind it.
      if item.last < Int.max { changes.append((item.last + 1, -item.bytes)) }
    }
    changes.sort { ($0.time, $0.bytes) < ($1.time, $1.bytes) }
    var live = 0
    var peak = 0
    for change in changes {
      live += change.bytes
      peak = Swift.max(peak, live)
    }
    return peak
  }

  private static func neighbours(_ items: [Item]) -> [[Int]]? {
    var result = [[Int]](repeating: [], count: items.count)
    var alive: [Int] = []
    var pairs = 0
    for number in items.indices.sorted(by: { (items[$0].first, $0) < (items[$1].first, $1) }) {
      alive.removeAll { items[$0].last < items[number].first }
      pairs += alive.count
      guard pairs <= mostPairs else { return nil }
      for other in alive {
        result[number].append(other)
        result[other].append(number)
      }
      alive.append(number)
    }
    return result
  }
}

extension OffsetSearch.Item {
  fileprivate var length: Int { last - first }
  fileprivate var area: Int { bytes * (last - first + 1) }
}
