/// One spatial axis of an image of known size: how windows fall on the input.
struct WindowAxis {
  var input: Int
  var output: Int
  var window: Int
  var stride: Int
  var dilation: Int
  /// Padding in front.
  var before: Int

  /// An axis that is not there: one window of one tap.
  static let single = WindowAxis(input: 1, output: 1, window: 1, stride: 1, dilation: 1, before: 0)

  /// The taps of the window at output index `o` that meet the input.
  func taps(at o: Int) -> Set<Int> {
    Set((0..<window).filter { (0..<input).contains(o * stride + $0 * dilation - before) })
  }

  /// Taps over all output indices.
  var allTaps: Int { (0..<output).reduce(0) { $0 + taps(at: $1).count } }

  /// Neighbouring tiles whose windows meet the input alike, so that one piece of code serves them.
  struct Run {
    var first: Int
    /// Output indices in a tile.
    var extent: Int
    var count: Int
    /// Per index in the tile, its taps.
    var taps: [Set<Int>]
  }

  /// Cuts the axis into tiles of at most `extent` indices and merges equal neighbours. Tiles are as even as possible,
  /// or full ones followed by a rest.
  func runs(extent: Int, isEven: Bool) -> [Run] {
    let tiles = (output + extent - 1) / extent
    var result: [Run] = []
    var first = 0
    for number in 0..<tiles {
      let size = isEven ? output / tiles + (number < output % tiles ? 1 : 0) : min(extent, output - first)
      let taps = (first..<first + size).map { self.taps(at: $0) }
      if let last = result.last, last.extent == size, last.taps == taps {
        result[result.count - 1].count += 1
      } else {
        result.append(Run(first: first, extent: size, count: 1, taps: taps))
      }
      first += size
    }
    return result
  }
}
