import IR
import Support

extension ONNXMapping {
  static let quickGelu = ONNXMapping(
    ["QuickGelu"], 1...newest, inputs: 1...1, attributes: ["alpha"], domain: microsoftDomain
  ) { c throws(Diagnostic) in
    let x = try c.input(0)
    let scaled = try c.binary(.mul, x, try c.number(try c.float("alpha", default: 1.702), like: x))
    return [try c.binary(.mul, x, try c.unary(.sigmoid, scaled))]
  }

  /// The first half of the last axis times the gelu of the second.
  static let biasSplitGelu = ONNXMapping(["BiasSplitGelu"], 1...newest, inputs: 2...2, domain: microsoftDomain) {
    c throws(Diagnostic) in
    let x = try c.binary(.add, try c.input(0), try c.input(1))
    let shape = try c.shape(x)
    guard let width = shape.last, let half = width.exactlyDivided(by: 2) else {
      throw .invalid("x is \(try c.type(x))")
    }
    let (first, second) = (
      try c.slice(x, axis: shape.count - 1, start: 0, size: half),
      try c.slice(x, axis: shape.count - 1, start: half, size: half)
    )
    return [try c.binary(.mul, first, try c.unary(.gelu, second))]
  }

  static let biasAdd = ONNXMapping(["BiasAdd"], 1...newest, inputs: 3...3, domain: microsoftDomain) {
    c throws(Diagnostic) in
    [try c.binary(.add, try c.binary(.add, try c.input(0), try c.input(1)), try c.input(2))]
  }

  static let expandDims = ONNXMapping(["ExpandDims"], 1...newest, inputs: 2...2, domain: microsoftDomain) {
    c throws(Diagnostic) in
    let x = try c.input(0)
    var shape = try c.shape(x)
    guard let axis = try c.constantIntegers(1, "axis")?.first else { throw .invalid("axis is missing") }
    shape.insert(1, at: try c.axis(axis, rank: shape.count + 1))
    return [try c.reshape(x, shape)]
  }

  /// Words, positions and segments looked up, added and normalised.
  static let embedding = ONNXMapping(
    ["EmbedLayerNormalization"], 1...newest, inputs: 7...9, attributes: ["epsilon", "mask_index_type"],
    domain: microsoftDomain
  ) { c throws(Diagnostic) in
    let words = try c.input(0)
    let shape = try c.shape(words)
    guard shape.count == 2 else { throw .invalid("the words are \(try c.type(words)), expected a matrix") }
    var sum = try c.add(Gather(axis: 0), try c.input(2), words)
    let table = try c.input(3)
    if let positions = c.optionalInput(8) {
      sum = try c.binary(.add, sum, try c.add(Gather(axis: 0), table, positions))
    } else {
      sum = try c.binary(.add, sum, try c.slice(table, axis: 0, start: 0, size: shape[1]))
    }
    if let segments = c.optionalInput(1), let kinds = c.optionalInput(4) {
      sum = try c.binary(.add, sum, try c.add(Gather(axis: 0), kinds, segments))
    }
    let kind = LayerNorm(axis: 2, epsilon: try c.float("epsilon", default: 1e-12))
    let result = try c.add(kind, sum, try c.input(5), try c.input(6))
    var lengths = try c.broadcast(try c.scalar(0, .i32), [shape[0]])
    if let mask = c.optionalInput(7) {
      let isThere = try c.compare(.equal, mask, try c.number(1, like: mask))
      lengths = try c.reduce(.sum, try c.cast(isThere, to: .i32), axes: [1], keepDims: false)
    }
    return [result, lengths, sum]
  }

  /// Groups of channels, which come last, normalised together; a second tensor may be added first.
  static let channelsLastGroupNorm = ONNXMapping(
    ["GroupNorm", "SkipGroupNorm"], 1...newest, inputs: 3...5,
    attributes: ["activation", "channels_last", "epsilon", "groups"], domain: microsoftDomain
  ) { c throws(Diagnostic) in
    var x = try c.input(0)
    let isLast = try c.flag("channels_last", default: true)
    if !isLast { x = try c.channelsLast(x) }
    let shape = try c.shape(x)
    guard shape.count == 4, let groups = try c.int("groups"), groups > 0,
      let width = shape[3].exactlyDivided(by: Dim(groups))
    else { throw .invalid("x is \(try c.type(x)), or groups is missing or does not fit") }
    if let skip = c.optionalInput(3) {
      let own = try c.shape(skip)
      let wide =
        own.count == 2 ? try c.reshape(skip, [own[0], 1, 1, own[1]]) : isLast ? skip : try c.channelsLast(skip)
      x = try c.binary(.add, x, wide)
    }
    if let bias = c.optionalInput(4) { x = try c.binary(.add, x, bias) }
    let parts = try c.reshape(x, [shape[0], shape[1] * shape[2], Dim(groups), width])
    let normal = try c.normalized(
      try c.cast(parts, to: .f32), axes: [1, 3], epsilon: try c.float("epsilon", default: 1e-5))
    let scaled = try c.binary(.mul, try c.reshape(normal.value, shape), try c.cast(try c.input(1), to: .f32))
    var result = try c.binary(.add, scaled, try c.cast(try c.input(2), to: .f32))
    if try c.flag("activation", default: false) { result = try c.binary(.mul, result, try c.unary(.sigmoid, result)) }
    result = try c.cast(result, to: try c.element(x))
    return isLast ? [result, x] : [try c.channelsFirst(result), try c.channelsFirst(x)]
  }

  /// A few of many small networks for each row, by weights that come in. All are run, and most results have no weight.
  static let mixtureOfExperts = ONNXMapping(
    ["MoE"], 1...newest, inputs: 5...8,
    attributes: [
      "activation_alpha", "activation_beta", "activation_type", "k", "normalize_routing_weights", "swiglu_fusion",
      "swiglu_limit", "use_sparse_mixer",
    ], domain: microsoftDomain
  ) { c throws(Diagnostic) in
    guard try !c.flag("use_sparse_mixer", default: false) else {
      throw .unsupported("use_sparse_mixer is not supported")
    }
    let x = try c.input(0)
    let shape = try c.shape(x)
    guard let width = shape.last, shape.count == 2 || shape.count == 3 else {
      throw .invalid("the input is \(try c.type(x))")
    }
    let rows = shape.dropLast().reduce(Dim(1), *)
    let flat = try c.reshape(x, [1, rows, width])
    let experts = try c.shape(try c.input(2))[0]
    func layer(_ x: ValueID, _ number: Int) throws(Diagnostic) -> ValueID {
      let product = try c.add(MatMul(transposeRHS: true), x, try c.input(number))
      guard let bias = c.optionalInput(number + 1) else { return product }
      return try c.binary(.add, product, try c.reshape(bias, [experts, 1, try c.shape(bias)[1]]))
    }
    var hidden = try layer(flat, 2)
    let name = try c.string("activation_type", default: "relu")
    switch name {
    case "relu": hidden = try c.unary(.relu, hidden)
    case "gelu": hidden = try c.unary(.gelu, hidden)
    case "silu": hidden = try c.binary(.mul, hidden, try c.unary(.sigmoid, hidden))
    case "identity": break
    default: throw .unsupported("activation_type \"\(name)\" is not supported")
    }
    if c.optionalInput(6) != nil { hidden = try c.binary(.mul, hidden, try layer(flat, 6)) }
    let results = try layer(hidden, 4)
    let weights = try c.cast(try c.chosen(try c.input(1), count: try c.int("k", default: 1)), to: try c.element(x))
    let column = try c.reshape(try c.transpose(weights, [1, 0]), [experts, rows, 1])
    let mixed = try c.reduce(.sum, try c.binary(.mul, results, column), axes: [0], keepDims: false)
    return [try c.reshape(mixed, shape)]
  }
}

extension ONNXNodeContext {
  /// What each row gives each expert: the softmax of its scores, but for the greatest few zero.
  fileprivate func chosen(_ scores: ValueID, count: Int) throws(Diagnostic) -> ValueID {
    let shape = try shape(scores)
    guard shape.count == 2, count > 0 else { throw .invalid("the scores are \(try type(scores)) and k is \(count)") }
    let isNormalized = try flag("normalize_routing_weights", default: false)
    let shares = try add(Softmax(axis: 1), try cast(scores, to: .f32))
    let best = try results(TopK(axis: 1, k: Dim(count), largest: true), [shares])
    var values = best[0]
    if isNormalized { values = try binary(.div, values, try reduce(.sum, values, axes: [1])) }
    let zeros = try broadcast(try scalar(0.0, .f32), shape)
    return try add(ScatterElements(axis: 1), zeros, best[1], values)
  }
}
