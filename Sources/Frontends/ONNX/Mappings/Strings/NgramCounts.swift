import IR
import Support

extension ONNXMapping {
  /// How often each run of words of a pool stands in a list: comparisons of parts of the list that are moved along it.
  static let ngramCounts = ONNXMapping(
    ["TfIdfVectorizer"], 9...newest, inputs: 1...1,
    attributes: [
      "max_gram_length", "max_skip_count", "min_gram_length", "mode", "ngram_counts", "ngram_indexes", "pool_int64s",
      "pool_strings", "weights",
    ]
  ) { c throws(Diagnostic) in
    let x = try c.input(0)
    let shape = try c.shape(x)
    guard shape.count == 1 || shape.count == 2, let length = shape.last else {
      throw .invalid("the input is \(try c.type(x)), expected a list or a matrix")
    }
    let rows = shape.count == 2 ? shape[0] : 1
    let list = try c.reshape(x, [rows, length])
    let pool = try NgramPool(c)
    var counts: [ValueID] = []
    for group in pool.groups {
      guard group.length >= pool.lengths.lowerBound, group.length <= pool.lengths.upperBound else {
        counts.append(try c.broadcast(try c.scalar(0.0, .f32), [rows, Dim(group.count)]))
        continue
      }
      counts.append(try c.counts(of: group, pool, in: list))
    }
    // A column of zeros for places that no run has.
    counts.append(try c.broadcast(try c.scalar(0.0, .f32), [rows, 1]))
    var result = try c.add(Gather(axis: 1), try c.concat(counts, axis: 1), try c.constant(pool.places))
    let mode = try c.string("mode", default: "")
    guard ["TF", "IDF", "TFIDF"].contains(mode) else { throw .invalid("mode is \"\(mode)\"") }
    if mode == "IDF" {
      let isThere = try c.compare(.greater, result, try c.scalar(0.0, .f32))
      result = try c.cast(isThere, to: .f32)
    }
    if mode != "TF", let weights = try c.floats("weights") {
      guard weights.count == pool.count else {
        throw .invalid("there are \(weights.count) weights for \(pool.count) runs")
      }
      let own = pool.places.map { $0 < weights.count ? Double(weights[$0]) : 0 }
      let row = try c.constant(Tensor(.f32, [own.count], doubles: own))
      result = try c.binary(.mul, result, row)
    }
    return [try c.reshape(result, shape.dropLast() + [Dim(pool.places.count)])]
  }
}

/// The runs of words that are counted, those of each length together.
private struct NgramPool {
  struct Group {
    let length: Int
    let start: Int
    let count: Int
  }

  let strings: [[UInt8]]?
  let integers: [Int]
  let groups: [Group]
  let lengths: ClosedRange<Int>
  let skips: Int
  /// For each result which run it counts; the number of all runs where there is none.
  let places: [Int]

  var count: Int { groups.reduce(0) { $0 + $1.count } }

  /// More would be as many ops.
  private static let most = 1 << 12

  init(_ c: ONNXNodeContext) throws(Diagnostic) {
    strings = try c.byteStrings("pool_strings")
    integers = try c.ints("pool_int64s") ?? []
    let size = strings?.count ?? integers.count
    let starts = try c.ints("ngram_counts") ?? []
    var groups: [Group] = []
    for (number, start) in starts.enumerated() {
      let end = number + 1 < starts.count ? starts[number + 1] : size
      let length = number + 1
      guard start >= 0, start <= end, end <= size, (end - start) % length == 0 else {
        throw .invalid("ngram_counts \(starts) do not fit a pool of \(size)")
      }
      groups.append(Group(length: length, start: start, count: (end - start) / length))
    }
    self.groups = groups
    guard let low = try c.int("min_gram_length"), let high = try c.int("max_gram_length"),
      let skips = try c.int("max_skip_count"), low > 0, low <= high, high <= starts.count, skips >= 0
    else { throw .invalid("min_gram_length, max_gram_length or max_skip_count is missing or does not fit") }
    guard skips < NgramPool.most, high <= NgramPool.most, high * (skips + 1) <= NgramPool.most else {
      throw .unsupported("\(skips) skips are too many")
    }
    lengths = low...high
    self.skips = skips
    let indices = try c.ints("ngram_indexes") ?? []
    let total = groups.reduce(0) { $0 + $1.count }
    guard indices.count == total, indices.allSatisfy({ $0 >= 0 && $0 < max(1 << 20, total) }) else {
      throw .invalid("there are \(indices.count) ngram_indexes for a pool of \(total) runs")
    }
    var places = Array(repeating: total, count: (indices.max() ?? -1) + 1)
    for (number, index) in indices.enumerated() {
      guard places[index] == total else { throw .unsupported("two runs count for result \(index)") }
      places[index] = number
    }
    self.places = places
  }

  /// Word `number` of each run of a group, as a column.
  func words(_ number: Int, of group: Group, like element: ElementType) -> Tensor {
    let positions = (0..<group.count).map { group.start + $0 * group.length + number }
    if let strings { return Tensor(strings: positions.map { strings[$0] }, shape: [group.count, 1]) }
    return Tensor(element, [group.count, 1], integers: positions.map { integers[$0] })
  }
}

extension ONNXNodeContext {
  fileprivate func counts(
    of group: NgramPool.Group, _ pool: NgramPool, in list: ValueID
  ) throws(Diagnostic) -> ValueID {
    let (shape, element) = (try shape(list), try element(list))
    guard (element == .string) == (pool.strings != nil) else {
      throw .invalid("the pool does not hold elements like those of \(try type(list))")
    }
    var sum = try broadcast(try scalar(0.0, .f32), [shape[0], Dim(group.count)])
    if group.count == 0 { return sum }
    // How far the words of a run may be apart makes no difference to single ones.
    for skip in 0...(group.length == 1 ? 0 : pool.skips) {
      let reach = (group.length - 1) * (skip + 1)
      let positions = maximum(shape[1] - reach, 0)
      if positions.constant == 0 { continue }
      var isThere: ValueID?
      for number in 0..<group.length {
        let part = try slice(list, axis: 1, start: Dim(number * (skip + 1)), size: positions)
        let words = try constant(pool.words(number, of: group, like: element))
        let matches = try equal(try reshape(part, [shape[0], 1, positions]), words)
        isThere = try isThere.map { value throws(Diagnostic) in try binary(.and, value, matches) } ?? matches
      }
      guard let isThere else { continue }
      let count = try reduce(.sum, try cast(isThere, to: .f32), axes: [2], keepDims: false)
      sum = try binary(.add, sum, count)
    }
    return sum
  }
}
