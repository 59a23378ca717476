import Support

/// Attention without softmax: a matrix of state for each head of keys takes in key times value, step by step, and each
/// query reads `scale * q S` after its step.
///
///     %0: f32[1, n, 4, 16]
///     %1: f32[1, n, 2, 16]
///     %2: f32[1, n, 2, 32]
///     %3: f32[1, n, 2, 1]
///     %4, %5 = linear_attention %0, %1, %2, %3 {scale = 0.25} : f32[1, n, 4, 32], f32[1, 2, 16, 32]
///
/// Operands are `[batch, steps, heads, width]`; with fewer heads of keys and values than of queries, neighbouring heads of
/// queries share one. In each step the state `[batch, heads, width, value width]`, zeros unless `state` is given, is first
/// multiplied by `decay`, one number a row, or one for all with a width of 1. Then `k` times `v` is added; with `rate`
/// `[batch, steps, heads, 1]` what is added is `rate` times `k` times the difference of `v` and `k S`. Results are those
/// of all queries, and the last state.
public struct LinearAttention: OpKind {
  public static let mnemonics = ["linear_attention"]
  public static let operands = [
    OperandSpec("q", .float), OperandSpec("k", .float), OperandSpec("v", .float),
    OperandSpec("decay", .float, .optional), OperandSpec("rate", .float, .optional),
    OperandSpec("state", .float, .optional),
  ]
  public static let resultCount: Int? = 2

  public var scale = 1.0

  public init(mnemonic: String) {}
  public init(scale: Double) { self.scale = scale }

  public mutating func attributes(_ visitor: inout some AttributeVisitor) throws(Diagnostic) {
    try visitor.float("scale", &scale)
  }

  public func inferTypes(
    _ inputs: [ValueFact], regions: [RegionFact], in context: inout InferenceContext
  ) throws(Diagnostic) -> [ValueFact] {
    let q = try inputs[0].dense("linear_attention")
    guard scale.isFinite else { throw .invalid("linear_attention: scale is \(scale)") }
    func check(_ number: Int, _ name: String) throws(Diagnostic) -> [Dim]? {
      guard let type = try inputs.present(number)?.dense("linear_attention") else { return nil }
      guard type.plain == q.plain, type.rank == 4 else {
        throw .invalid("linear_attention: \(name) is \(type), expected four axes and the elements of q")
      }
      return type.shape
    }
    guard let query = try check(0, "q"), let k = try check(1, "k"), let v = try check(2, "v") else {
      throw .bug("linear_attention without operands")
    }
    func require(_ shape: [Dim], _ expected: [Dim], _ name: String) throws(Diagnostic) {
      for (a, b) in zip(shape, expected) {
        try context.require(a, equals: b, "linear_attention: \(name) has shape \(shape), expected \(expected)")
      }
    }
    try require(k, [query[0], query[1], k[2], query[3]], "k")
    try require(v, [query[0], query[1], k[2], v[3]], "v")
    if query[2] != k[2] {
      guard let heads = query[2].constant, let keyHeads = k[2].constant, keyHeads > 0, heads % keyHeads == 0 else {
        throw .invalid("linear_attention: \(query[2]) heads cannot share \(k[2]) heads of keys evenly")
      }
    }
    if let decay = try check(3, "decay") {
      try require(decay, [query[0], query[1], k[2], decay[3].constant == 1 ? 1 : query[3]], "decay")
    }
    if let rate = try check(4, "rate") { try require(rate, [query[0], query[1], k[2], 1], "rate") }
    let state = [query[0], k[2], query[3], v[3]]
    if let given = try check(5, "state") { try require(given, state, "state") }
    return [ValueFact(q.with(shape: Array(query.dropLast()) + [v[3]])), ValueFact(q.with(shape: state))]
  }

  public func evaluate(_ inputs: [Value], _ call: inout EvaluationCall) throws(Diagnostic) -> [Value] {
    let (q, k, v) = (try inputs[0].expectTensor(), try inputs[1].expectTensor(), try inputs[2].expectTensor())
    guard let element = q.storage else { throw .bug("linear_attention: cannot take \(q.type)") }
    let (batch, steps, heads, width) = (q.shape[0], q.shape[1], q.shape[2], q.shape[3])
    let (keyHeads, columns) = (k.shape[2], v.shape[3])
    let group = heads / max(1, keyHeads)
    let (queries, keys, values) = (q.doubles(), k.doubles(), v.doubles())
    let decay = try inputs.present(3)
    let (decays, rates) = (decay?.doubles(), try inputs.present(4)?.doubles())
    let (shape, stateShape) = ([batch, steps, heads, columns], [batch, keyHeads, width, columns])
    try checkAllocatable(shape, "linear_attention")
    try checkAllocatable(stateShape, "linear_attention")
    var state = try inputs.present(5)?.doubles() ?? [Double](repeating: 0, count: stateShape.reduce(1, *))
    var result = [Double](repeating: 0, count: shape.reduce(1, *))
    for b in 0..<batch {
      for h in 0..<keyHeads {
        let base = (b * keyHeads + h) * width * columns
        for t in 0..<steps {
          let row = (b * steps + t) * keyHeads + h
          for i in 0..<width {
            let factor = decays.map { $0[decay?.shape[3] == 1 ? row : row * width + i] } ?? 1
            for c in 0..<columns { state[base + i * columns + c] *= factor }
          }
          for c in 0..<columns {
            var new = values[row * columns + c]
            if let rates {
              for i in 0..<width { new -= state[base + i * columns + c] * keys[row * width + i] }
              new *= rates[row]
            }
            for i in 0..<width { state[base + i * columns + c] += keys[row * width + i] * new }
            for head in h * group..<(h + 1) * group {
              let query = (b * steps + t) * heads + head
              var sum = 0.0
              for i in 0..<width { sum += queries[query * width + i] * state[base + i * columns + c] }
              result[query * columns + c] = sum * scale
            }
          }
        }
      }
    }
    return [
      .tensor(Tensor(element, shape, doubles: result)), .tensor(Tensor(element, stateShape, doubles: state)),
    ]
  }
}
