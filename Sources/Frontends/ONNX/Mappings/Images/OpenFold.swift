import IR
import Support

extension ONNXNodeContext {
  /// `Col2Im` for blocks whose size only the run knows: every element is added where it belongs in the padded image.
  func foldedByScattering(_ spatial: [Dim]) throws(Diagnostic) -> ValueID {
    let x = try input(0)
    let shape = try shape(x)
    let window = try extents(of: try input(2), "window")
    let axes = spatial.count
    guard shape.count == 3, window.count == axes else {
      throw .invalid("a block of \(window.count) axes of \(try type(x)) does not fit an image of \(axes)")
    }
    func list(_ name: String, _ value: Int, _ count: Int) throws(Diagnostic) -> [Int] {
      let given = try ints(name) ?? Array(repeating: value, count: count)
      guard given.count == count, given.allSatisfy({ (value...(1 << 28)).contains($0) }) else {
        throw .invalid("\(name) is \(given), expected \(count) numbers from \(value) on")
      }
      return given
    }
    let (strides, dilations) = (try list("strides", 1, axes), try list("dilations", 1, axes))
    let pads = try list("pads", 0, 2 * axes)
    var (padded, blocks): ([Dim], [Dim]) = ([], [])
    for axis in 0..<axes {
      let whole = spatial[axis] + (pads[axis] + pads[axes + axis])
      padded.append(whole)
      let room = whole - (window[axis] - 1) * dilations[axis] - 1
      // By a name, for the product of such expressions would be a long one.
      let count = room.floorDivided(by: Dim(strides[axis])) + 1
      guard let symbol = freshSymbol("blocks").symbolName else { throw .bug("a fresh symbol is none") }
      _ = try add(Extent(symbol: symbol), try dimension(count))
      blocks.append(Dim(symbol: symbol))
    }
    // Where element (k, l) of each axis goes: l times the stride and k times the dilation.
    var place: ValueID?
    for axis in 0..<axes {
      func along(_ count: Dim, _ position: Int, _ step: Int) throws(Diagnostic) -> ValueID {
        let numbers = try binary(.mul, try iota(count), try scalar(step))
        return try reshape(numbers, (0..<2 * axes).map { $0 == position ? count : 1 })
      }
      let own = try binary(
        .add, try along(window[axis], axis, dilations[axis]), try along(blocks[axis], axes + axis, strides[axis]))
      place =
        try place.map { value throws(Diagnostic) in
          try binary(.add, try binary(.mul, value, try dimension(padded[axis])), own)
        } ?? own
    }
    guard let place else { throw .invalid("the image has no axes") }
    let taps = window.reduce(Dim(1), *)
    let channels = try extent(
      of: try binary(.div, try dimension(shape[1]), try dimension(taps)), "channels",
      in: 0...max(shape[1].bounds(symbols).upperBound, 0))
    let count = taps * blocks.reduce(Dim(1), *)
    let rows = shape[0] * channels
    let size = padded.reduce(Dim(1), *)
    let zeros = try broadcast(try number(0, like: x), [rows, size])
    let places = try broadcast(try reshape(try broadcast(place, window + blocks), [1, count]), [rows, count])
    let sums = try add(ScatterElements(axis: 1, .add), zeros, places, try reshape(x, [rows, count]))
    let image = try reshape(sums, [shape[0], channels] + padded)
    return try slice(
      image, starts: [0, 0] + pads.prefix(axes).map { Dim($0) }, sizes: [shape[0], channels] + spatial)
  }
}
