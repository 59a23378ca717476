import IR
import Support

extension ONNXMapping {
  static let movements: [ONNXMapping] = [
    reshape, flatten, transposition, squeezeByAttribute, squeeze, unsqueezeByAttribute, unsqueeze, sliceByAttributes,
    slice, splitByAttribute, split, concatenation, gather, expand, tile, padByAttributes, pad, depthToSpace,
    spaceToDepth, triangle,
  ]

  static let flatten = ONNXMapping(["Flatten"], 1...newest, inputs: 1...1, attributes: ["axis"]) {
    c throws(Diagnostic) in
    let x = try c.input(0)
    let shape = try c.shape(x)
    let number = try c.int("axis", default: 1)
    let axis = number == shape.count ? number : try c.axis(number, rank: max(shape.count, 1))
    return [try c.reshape(x, [shape[..<axis].reduce(Dim(1), *), shape[axis...].reduce(Dim(1), *)])]
  }

  static let transposition = ONNXMapping(
    ["Transpose"], 1...newest, inputs: 1...1, attributes: ["perm"]
  ) { c throws(Diagnostic) in
    let x = try c.input(0)
    let reversed = Array((0..<(try c.rank(x))).reversed())
    return [try c.transpose(x, try c.ints("perm") ?? reversed)]
  }

  static let concatenation = ONNXMapping(
    ["Concat"], 4...newest, inputs: 1...Int.max, attributes: ["axis"]
  ) { c throws(Diagnostic) in
    let parts = try c.allInputs()
    guard let axis = try c.int("axis") else { throw .invalid("attribute \"axis\" is missing") }
    return [try c.concat(parts, axis: try c.axis(axis, rank: try c.rank(parts[0])))]
  }

  static let gather = ONNXMapping(["Gather"], 1...newest, inputs: 2...2, attributes: ["axis"]) { c throws(Diagnostic) in
    [try c.add(Gather(axis: try c.int("axis", default: 0)), try c.input(0), try c.input(1))]
  }

  /// `Tile`: an axis of one before each repeated axis, stretched and joined to it.
  static let tile = ONNXMapping(["Tile"], 6...newest, inputs: 2...2) { c throws(Diagnostic) in
    let x = try c.input(0)
    let shape = try c.shape(x)
    let repeats = try c.extents(of: try c.input(1), "repeat")
    guard repeats.count == shape.count else { throw .invalid("\(repeats.count) repeats do not fit \(try c.type(x))") }
    var (spread, stretched, joined): ([Dim], [Dim], [Dim]) = ([], [], [])
    for (extent, count) in zip(shape, repeats) {
      joined.append(extent * count)
      if count.constant != 1 {
        spread.append(1)
        stretched.append(count)
      }
      spread.append(extent)
      stretched.append(extent)
    }
    return [try c.reshape(try c.broadcast(try c.reshape(x, spread), stretched), joined)]
  }

  static let depthToSpace = ONNXMapping(
    ["DepthToSpace"], 1...newest, inputs: 1...1, attributes: ["blocksize", "mode"]
  ) { c throws(Diagnostic) in
    let x = try c.input(0)
    let (shape, block) = try c.blockedImage(x)
    guard let depth = shape[1].exactlyDivided(by: Dim(block * block)) else {
      throw .invalid("\(shape[1]) channels do not divide into blocks of \(block)")
    }
    let mode = try c.string("mode", default: "DCR")
    guard mode == "DCR" || mode == "CRD" else { throw .invalid("mode is \"\(mode)\", expected DCR or CRD") }
    let (size, (h, w)) = (Dim(block), (shape[2], shape[3]))
    let result: ValueID
    if mode == "DCR" {
      result = try c.transpose(try c.reshape(x, [shape[0], size, size, depth, h, w]), [0, 3, 4, 1, 5, 2])
    } else {
      result = try c.transpose(try c.reshape(x, [shape[0], depth, size, size, h, w]), [0, 1, 4, 2, 5, 3])
    }
    return [try c.reshape(result, [shape[0], depth, h * size, w * size])]
  }

  static let spaceToDepth = ONNXMapping(
    ["SpaceToDepth"], 1...newest, inputs: 1...1, attributes: ["blocksize", "mode"]
  ) { c throws(Diagnostic) in
    let mode = try c.string("mode", default: "DCR")
    guard mode == "DCR" || mode == "CRD" else { throw .invalid("mode is \"\(mode)\", expected DCR or CRD") }
    let x = try c.input(0)
    let (shape, block) = try c.blockedImage(x)
    let size = Dim(block)
    guard let h = shape[2].exactlyDivided(by: size), let w = shape[3].exactlyDivided(by: size) else {
      throw .unsupported("an image of \(shape[2]) by \(shape[3]) does not divide into blocks of \(block)")
    }
    let cut = try c.reshape(x, [shape[0], shape[1], h, size, w, size])
    return [
      try c.reshape(
        try c.transpose(cut, mode == "DCR" ? [0, 3, 5, 1, 2, 4] : [0, 1, 3, 5, 2, 4]),
        [shape[0], shape[1] * size * size, h, w])
    ]
  }
}

extension ONNXNodeContext {
  fileprivate func blockedImage(_ x: ValueID) throws(Diagnostic) -> (shape: [Dim], block: Int) {
    let type = try type(x)
    guard type.rank == 4 else { throw .invalid("the image is \(type), expected four axes") }
    guard let block = try int("blocksize"), (1...(1 << 15)).contains(block) else {
      throw .invalid("attribute \"blocksize\" is missing or out of range")
    }
    return (type.shape, block)
  }
}
