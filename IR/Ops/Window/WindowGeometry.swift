import Support

/// How a window slides over the spatial axes of a convolution or a pool, with every attribute checked.
public struct WindowGeometry: Hashable, Sendable {
  public let window: [Int]
  public let strides: [Int]
  public let dilations: [Int]
  /// Padding at the start and at the end of each axis.
  public let before: [Int]
  public let after: [Int]
  private let op: String

  /// Empty strides and dilations are ones, empty padding is zeros.
  public init(_ op: String, window: [Int], strides: [Int], padding: [Int], dilations: [Int]) throws(Diagnostic) {
    let axes = window.count
    guard (1...3).contains(axes) else {
      throw .invalid("\(op): the window \(window) has \(axes) axes, expected 1 to 3")
    }
    self.op = op
    self.window = window
    self.strides = strides.isEmpty ? Array(repeating: 1, count: axes) : strides
    self.dilations = dilations.isEmpty ? Array(repeating: 1, count: axes) : dilations
    let padding = padding.isEmpty ? Array(repeating: 0, count: 2 * axes) : padding
    guard self.strides.count == axes else { throw .invalid("\(op): strides \(strides) are not \(axes) numbers") }
    guard self.dilations.count == axes else { throw .invalid("\(op): dilations \(dilations) are not \(axes) numbers") }
    guard padding.count == 2 * axes else { throw .invalid("\(op): padding \(padding) is not \(2 * axes) numbers") }
    // The limit keeps every product and sum of the loops far from overflow.
    for (name, values, least) in [
      ("window", window, 1), ("strides", self.strides, 1), ("dilations", self.dilations, 1), ("padding", padding, 0),
    ] where !values.allSatisfy({ (least...(1 << 28)).contains($0) }) {
      throw .invalid("\(op): \(name) \(values) must be \(least) to \(1 << 28)")
    }
    before = Array(padding[..<axes])
    after = Array(padding[axes...])
  }

  /// The result's spatial extents: how many windows fit. With `ceil`, a last window that starts inside the input or its leading padding counts
  /// even if it reaches beyond the end.
  public func extents(_ input: [Dim], ceil: Bool = false) throws(Diagnostic) -> [Dim] {
    var result: [Dim] = []
    for (axis, dim) in input.enumerated() {
      let room = dim + (before[axis] + after[axis] - dilations[axis] * (window[axis] - 1) - 1)
      let stride = Dim(strides[axis])
      if ceil {
        let windows = room.ceilDivided(by: stride) + 1
        result.append(Dim.minimum(windows, (dim + before[axis]).ceilDivided(by: stride)))
      } else {
        result.append(room.floorDivided(by: stride) + 1)
      }
      // None is an empty result, as it is where only the run knows the extent.
      if let count = result[axis].constant, count < 0 {
        throw .invalid("\(op): a window of \(window[axis]) does not fit axis \(axis) of extent \(dim)")
      }
    }
    return result
  }

  /// The number of elements under the window, where that many can be walked one by one.
  public func boundedTaps() throws(Diagnostic) -> Int {
    let count = window.reduce(1, Dim.multiply)
    guard count <= 1 << 24 else { throw .unsupported("\(op): a window of \(window) is too large") }
    return count
  }

  /// The part of the window that meets the input, for each result index of an axis.
  struct Taps {
    /// The input index of the window's first element; may be negative.
    let start: Int
    /// The window's elements that lie inside.
    let range: Range<Int>
    /// How many lie inside or in the padding.
    let padded: Int
  }

  func taps(axis: Int, extent: Int, count: Int) -> [Taps] {
    let (step, size) = (dilations[axis], window[axis])
    func below(_ end: Int, _ start: Int) -> Int {
      end <= start ? 0 : min(size, (end - start + step - 1) / step)
    }
    return (0..<count).map { index in
      let start = index * strides[axis] - before[axis]
      let low = start >= 0 ? 0 : min(size, (-start + step - 1) / step)
      let high = max(low, below(extent, start))
      return Taps(start: start, range: low..<high, padded: below(extent + after[axis], start))
    }
  }

  /// The same geometry with axes of extent 1 put in front, so that loops may assume three.
  public var threeAxes: WindowGeometry {
    get throws(Diagnostic) {
      let missing = 3 - window.count
      let (ones, zeros) = (Array(repeating: 1, count: missing), Array(repeating: 0, count: missing))
      return try WindowGeometry(
        op, window: ones + window, strides: ones + strides, padding: zeros + before + zeros + after,
        dilations: ones + dilations)
    }
  }

  /// Walks over the results of a window that slides over `input` to `output`, shapes with channels last.
  ///
  /// `meet` gets the numbers of the result, of the pixel and of the window's element for each element that lies inside;
  /// `leave` follows behind all of a result.
  @inline(__always)
  func slide(
    over input: [Int], to output: [Int], meet: (_ result: Int, _ pixel: Int, _ element: Int) -> Void,
    leave: (_ result: Int, _ depth: Taps, _ height: Taps, _ width: Taps) -> Void = { _, _, _, _ in }
  ) {
    // Axes of extent 1 in front, so that there are three.
    let missing = 3 - window.count
    let ones = Array(repeating: 1, count: missing)
    let extents = ones + input[1..<input.count - 1]
    let steps = ones + dilations
    let window = ones + window
    let taps =
      Array(repeating: [Taps(start: 0, range: 0..<1, padded: 1)], count: missing)
      + self.window.indices.map { self.taps(axis: $0, extent: input[$0 + 1], count: output[$0 + 1]) }
    var result = 0
    for image in 0..<output[0] {
      for depth in taps[0] {
        for height in taps[1] {
          for width in taps[2] {
            for i in depth.range {
              let plane = (image * extents[0] + depth.start + i * steps[0]) * extents[1]
              for j in height.range {
                let row = (plane + height.start + j * steps[1]) * extents[2] + width.start
                for k in width.range {
                  meet(result, row + k * steps[2], (i * window[1] + j) * window[2] + k)
                }
              }
            }
            leave(result, depth, height, width)
            result += 1
          }
        }
      }
    }
  }
}
