import IR
import Support

extension ONNXMapping {
  /// The greatest element in each cell of regions of an image. Cells are rectangles, so rows are reduced first, then
  /// columns; a cell without elements is zero.
  static let regionPool = ONNXMapping(
    ["MaxRoiPool"], 1...newest, inputs: 2...2, attributes: ["pooled_shape", "spatial_scale"]
  ) { c throws(Diagnostic) in
    let (x, regions) = (try c.input(0), try c.input(1))
    let (image, list) = (try c.shape(x), try c.shape(regions))
    guard image.count == 4, list.count == 2, list[1].constant ?? 5 == 5 else {
      throw .invalid("the image is \(try c.type(x)) and the regions are \(try c.type(regions))")
    }
    guard let cells = try c.ints("pooled_shape"), cells.count == 2, cells.allSatisfy({ (1...(1 << 16)).contains($0) })
    else { throw .invalid("pooled_shape is missing or no pair of positive numbers") }
    let scale = try c.number(try c.float("spatial_scale", default: 1), like: regions)
    func column(_ number: Int) throws(Diagnostic) -> ValueID {
      try c.reshape(try c.slice(regions, axis: 1, start: Dim(number), size: 1), [list[0], 1])
    }
    func corner(_ number: Int) throws(Diagnostic) -> ValueID {
      let place = try c.binary(.mul, try column(number), scale)
      return try c.unary(.floor, try c.binary(.add, place, try c.number(0.5, like: place)))
    }
    /// Which elements along an axis each cell has, as `[regions, cells, extent]`, and which cells have any.
    func cover(_ first: Int, _ count: Int, _ extent: Dim) throws(Diagnostic) -> (ValueID, isEmpty: ValueID) {
      let (start, end) = (try corner(first), try corner(first + 2))
      let one = try c.number(1, like: start)
      let size = try c.binary(.maximum, try c.binary(.add, try c.binary(.sub, end, start), one), one)
      let step = try c.binary(.div, size, try c.number(Double(count), like: start))
      let numbers = try c.cast(try c.constant(Array(0..<count)), to: try c.element(start))
      let limit = try c.cast(try c.dimension(extent), to: try c.element(start))
      func edge(_ function: Unary.Function, _ numbers: ValueID) throws(Diagnostic) -> ValueID {
        let place = try c.binary(.add, try c.unary(function, try c.binary(.mul, numbers, step)), start)
        let inside = try c.binary(.minimum, try c.binary(.maximum, place, try c.number(0, like: place)), limit)
        return try c.reshape(inside, [list[0], Dim(count), 1])
      }
      let (low, high) = (try edge(.floor, numbers), try edge(.ceil, try c.binary(.add, numbers, one)))
      let places = try c.cast(try c.iota(extent), to: try c.element(start))
      let isInside = try c.binary(
        .and, try c.compare(.greaterEqual, places, low), try c.compare(.less, places, high))
      return (isInside, try c.compare(.lessEqual, high, low))
    }
    let (rows, noRows) = try cover(2, cells[0], image[2])
    let (columns, noColumns) = try cover(1, cells[1], image[3])
    let batch = try c.reshape(try c.cast(try column(0), to: .i64), [list[0]])
    let own = try c.add(Gather(axis: 0), x, batch)
    let lowest = try c.number(-.infinity, like: x)
    let (height, width) = (Dim(cells[0]), Dim(cells[1]))
    let wide = try c.select(
      try c.reshape(columns, [list[0], 1, 1, width, image[3]]),
      try c.reshape(own, [list[0], image[1], image[2], 1, image[3]]), lowest)
    let narrow = try c.reduce(.max, wide, axes: [4], keepDims: false)
    let tall = try c.select(
      try c.reshape(rows, [list[0], 1, height, image[2], 1]),
      try c.reshape(narrow, [list[0], image[1], 1, image[2], width]), lowest)
    let pooled = try c.reduce(.max, tall, axes: [3], keepDims: false)
    let isEmpty = try c.binary(
      .or, try c.reshape(noRows, [list[0], 1, height, 1]), try c.reshape(noColumns, [list[0], 1, 1, width]))
    return [try c.select(isEmpty, try c.number(0, like: x), pooled)]
  }
}
