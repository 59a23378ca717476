import IR
import Support

extension ONNXMapping {
  static let col2im = ONNXMapping(
    ["Col2Im"], 18...newest, inputs: 3...3, attributes: ["dilations", "pads", "strides"]
  ) { c throws(Diagnostic) in
    let spatial = try c.extents(of: try c.input(1), "extent")
    guard let window = c.integers(try c.input(2)) else { return [try c.foldedByScattering(spatial)] }
    let kind = Fold(
      spatial: spatial, window: window, strides: try c.ints("strides") ?? [], padding: try c.ints("pads") ?? [],
      dilations: try c.ints("dilations") ?? [])
    return [try c.add(kind, try c.input(0))]
  }

  /// Zeros, but where the indices into the whole result say: what `MaxPool` undoes.
  static let maxUnpool = ONNXMapping(
    ["MaxUnpool"], 9...newest, inputs: 2...3, attributes: ["kernel_shape", "pads", "strides"]
  ) { c throws(Diagnostic) in
    let (x, indices) = (try c.input(0), try c.input(1))
    let shape = try c.image(x).shape
    let axes = shape.count - 2
    guard let window = try c.ints("kernel_shape"), window.count == axes else {
      throw .invalid("kernel_shape is missing or does not fit \(try c.type(x))")
    }
    let strides = try c.ints("strides") ?? Array(repeating: 1, count: axes)
    let pads = try c.ints("pads") ?? Array(repeating: 0, count: 2 * axes)
    guard strides.count == axes, pads.count == 2 * axes,
      (window + strides + pads).allSatisfy({ (0...(1 << 28)).contains($0) })
    else { throw .invalid("strides \(strides) or pads \(pads) do not fit \(try c.type(x))") }
    var inferred = Array(shape.prefix(2))
    for axis in 0..<axes {
      inferred.append((shape[axis + 2] - 1) * strides[axis] + (window[axis] - pads[axis] - pads[axes + axis]))
    }
    let count = inferred.reduce(Dim(1), *)
    let zeros = try c.broadcast(try c.number(0, like: x), [count])
    let elements = try c.type(x).elementCount
    let scattered = try c.add(
      ScatterElements(axis: 0), zeros, try c.reshape(indices, [elements]), try c.reshape(x, [elements]))
    var result = try c.reshape(scattered, inferred)
    // A given shape may leave room behind.
    if let given = c.optionalInput(2) {
      let filler = try c.number(0, like: x)
      for (axis, extent) in try c.extents(of: given, "extent").enumerated() where axis < inferred.count {
        let room = extent - inferred[axis]
        if room.constant != 0 { result = try c.surrounded(result, axis: axis, 0, room, by: filler) }
      }
    }
    return [result]
  }

  static let centerCropPad = ONNXMapping(["CenterCropPad"], 18...newest, inputs: 2...2, attributes: ["axes"]) {
    c throws(Diagnostic) in
    var x = try c.input(0)
    let shape = try c.shape(x)
    var axes = Array(shape.indices)
    if let given = try c.ints("axes") {
      axes = []
      for axis in given { axes.append(try c.axis(axis, rank: shape.count)) }
    }
    let wanted = try c.extents(of: try c.input(1), "extent")
    guard wanted.count == axes.count, Set(axes).count == axes.count else {
      throw .invalid("\(wanted.count) extents do not fit the axes \(axes)")
    }
    let filler = try c.element(x) == .bool ? try c.scalar(0, .bool) : try c.number(0, like: x)
    for (axis, extent) in zip(axes, wanted) {
      let cut = c.maximum(shape[axis] - extent, 0)
      if cut.constant != 0 {
        x = try c.slice(
          x, axis: axis, start: cut.floorDivided(by: 2), size: c.minimum(shape[axis], extent))
      }
      let room = c.maximum(extent - shape[axis], 0)
      if room.constant != 0 {
        let before = room.floorDivided(by: 2)
        x = try c.surrounded(x, axis: axis, before, room - before, by: filler)
      }
    }
    return [x]
  }
}
