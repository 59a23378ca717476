import Glibc
import Support

/// `softmax(scale * q k^T + mask) v` for each head: every query takes the mean of the values, weighted by how its key
/// fits.
///
///     %0: f32[1, 12, n, 64]
///     %1: f32[1, 4, s, 64]
///     %2: f32[1, 4, s, 80]
///     %3: f32[n, s]
///     %4 = attention %0, %1, %2, %3 {scale = 0.125, after = 0, offset = s - n} : f32[1, 12, n, 80]
///
/// Operands are `[batch, heads, positions, width]`, or with `sequence_first` `[batch, positions, heads, width]`, and so is
/// the result. With fewer heads of keys and values than of queries, neighbouring heads of queries share one. Query `i`
/// stands at position `i + offset` among the keys and sees those from `before` positions back to `after` positions ahead
/// of it; -1 sets no bound, so that `after = 0` is causal. `mask` stretches to `[batch, heads, queries, keys]`; of bools,
/// false hides a key, and floats are added to the product. Before that, `soft_cap`, unless it is zero, bounds products:
/// `soft_cap * tanh(product / soft_cap)`. `sinks`, one number a head of queries, is the product of one more key, whose
/// value is zero. Where a query sees nothing, the result is zero. Values of hidden keys count for nothing, but must be
/// finite.
public struct Attention: OpKind {
  public static let mnemonics = ["attention"]
  public static let operands = [
    OperandSpec("q", .float), OperandSpec("k", .float), OperandSpec("v", .float), OperandSpec("mask", .any, .optional),
    OperandSpec("sinks", .float, .optional),
  ]

  public var scale = 1.0
  public var before = -1
  public var after = -1
  public var offset: Dim = 0
  public var softCap = 0.0
  public var sequenceFirst = false

  public init(mnemonic: String) {}
  public init(
    scale: Double, before: Int = -1, after: Int = -1, offset: Dim = 0, softCap: Double = 0, sequenceFirst: Bool = false
  ) {
    self.scale = scale
    self.before = before
    self.after = after
    self.offset = offset
    self.softCap = softCap
    self.sequenceFirst = sequenceFirst
  }

  public mutating func attributes(_ visitor: inout some AttributeVisitor) throws(Diagnostic) {
    try visitor.float("scale", &scale)
    try visitor.int("before", &before)
    try visitor.int("after", &after)
    try visitor.dim("offset", &offset)
    try visitor.float("soft_cap", &softCap)
    try visitor.bool("sequence_first", &sequenceFirst)
  }

  /// The extents of an attention.
  public struct Extents: Hashable, Sendable {
    public var batch: Dim
    public var heads: Dim
    public var queries: Dim
    public var width: Dim
    public var keyHeads: Dim
    public var keys: Dim
    public var valueWidth: Dim
  }

  /// The extents that operands of these types have; checks that they fit.
  public func extents(
    _ q: TensorType, _ k: TensorType, _ v: TensorType, in context: inout InferenceContext
  ) throws(Diagnostic) -> Extents {
    for (name, type) in [("q", q), ("k", k), ("v", v)] {
      guard type.rank == 4 else { throw .invalid("attention: \(name) is \(type), expected four axes") }
      guard type.plain == q.plain else { throw .invalid("attention: \(name) is \(type), but q is \(q)") }
    }
    let (head, position) = sequenceFirst ? (2, 1) : (1, 2)
    let extents = Extents(
      batch: q.shape[0], heads: q.shape[head], queries: q.shape[position], width: q.shape[3], keyHeads: k.shape[head],
      keys: k.shape[position], valueWidth: v.shape[3])
    try context.require(k.shape[0], equals: extents.batch, "attention: q and k have different batches")
    try context.require(v.shape[0], equals: extents.batch, "attention: q and v have different batches")
    try context.require(k.shape[3], equals: extents.width, "attention: q and k have different widths")
    try context.require(v.shape[head], equals: extents.keyHeads, "attention: k and v have different heads")
    try context.require(v.shape[position], equals: extents.keys, "attention: k and v have different positions")
    if extents.heads != extents.keyHeads {
      guard let heads = extents.heads.constant, let keyHeads = extents.keyHeads.constant, keyHeads > 0,
        heads % keyHeads == 0
      else {
        throw .invalid("attention: \(extents.heads) heads cannot share \(extents.keyHeads) heads of keys evenly")
      }
    }
    return extents
  }

  public func inferTypes(
    _ inputs: [ValueFact], regions: [RegionFact], in context: inout InferenceContext
  ) throws(Diagnostic) -> [ValueFact] {
    let (q, k, v) = (
      try inputs[0].dense("attention"), try inputs[1].dense("attention"), try inputs[2].dense("attention")
    )
    guard scale.isFinite, softCap.isFinite, softCap >= 0, before >= -1, after >= -1 else {
      throw .invalid(
        "attention: scale \(scale), soft_cap \(softCap), before \(before) or after \(after) is out of range")
    }
    let extents = try extents(q, k, v, in: &context)
    if let mask = try inputs.present(3)?.dense("attention") {
      guard mask.plain == .bool || mask.plain == q.plain else {
        throw .invalid("attention: the mask is \(mask), expected bool or the elements of q")
      }
      try context.require(
        mask.shape, broadcastsTo: [extents.batch, extents.heads, extents.queries, extents.keys], "attention")
    }
    if let sinks = try inputs.present(4)?.dense("attention") {
      guard sinks.plain == q.plain, sinks.rank == 1 else {
        throw .invalid("attention: the sinks are \(sinks), expected one number a head like those of q")
      }
      try context.require(sinks.shape[0], equals: extents.heads, "attention: the sinks are not one a head")
    }
    var shape = q.shape
    shape[3] = extents.valueWidth
    return [ValueFact(q.with(shape: shape))]
  }

  public func evaluate(_ inputs: [Value], _ call: inout EvaluationCall) throws(Diagnostic) -> [Value] {
    let (q, k, v) = (try inputs[0].expectTensor(), try inputs[1].expectTensor(), try inputs[2].expectTensor())
    guard let element = q.storage else { throw .bug("attention: cannot take \(q.type)") }
    let (head, position) = sequenceFirst ? (2, 1) : (1, 2)
    let (batch, heads, queries, width) = (q.shape[0], q.shape[head], q.shape[position], q.shape[3])
    let (keys, valueWidth) = (k.shape[position], v.shape[3])
    let group = heads / max(1, k.shape[head])
    var shape = q.shape
    shape[3] = valueWidth
    try checkAllocatable(shape, "attention")
    let offset = try call.dim(offset)
    let scores = [batch, heads, queries, keys]
    let mask = try inputs.present(3)
    let maskStrides = mask.map { broadcastStrides($0.shape, to: scores) } ?? []
    let hides = mask?.storage == .bool
    let (masks, sinks) = (mask?.doubles() ?? [], try inputs.present(4)?.doubles())
    let (x, y, z) = (q.doubles(), k.doubles(), v.doubles())
    let (qStrides, kStrides, vStrides) = (rowMajorStrides(q.shape), rowMajorStrides(k.shape), rowMajorStrides(v.shape))
    let outStrides = rowMajorStrides(shape)
    var result = [Double](repeating: 0, count: shape.reduce(1, *))
    var products = [Double](repeating: 0, count: keys)
    for b in 0..<batch {
      for h in 0..<heads {
        for i in 0..<queries {
          let query = b * qStrides[0] + h * qStrides[head] + i * qStrides[position]
          var greatest = sinks.map { $0[h] } ?? -.infinity
          for j in 0..<keys {
            let key = b * kStrides[0] + h / group * kStrides[head] + j * kStrides[position]
            var product = 0.0
            for e in 0..<width { product += x[query + e] * y[key + e] }
            product *= scale
            if softCap > 0 { product = softCap * tanh(product / softCap) }
            if mask != nil {
              let place = b * maskStrides[0] + h * maskStrides[1] + i * maskStrides[2] + j * maskStrides[3]
              if !hides { product += masks[place] } else if masks[place] == 0 { product = -.infinity }
            }
            let distance = j - i - offset
            if (after >= 0 && distance > after) || (before >= 0 && -distance > before) { product = -.infinity }
            products[j] = product
            greatest = Binary.Function.maximum.apply(greatest, product)
          }
          if greatest == -.infinity { continue }
          var sum = sinks.map { exp($0[h] - greatest) } ?? 0
          let out = b * outStrides[0] + h * outStrides[head] + i * outStrides[position]
          for j in 0..<keys {
            let weight = exp(products[j] - greatest)
            sum += weight
            if weight == 0 { continue }
            let value = b * vStrides[0] + h / group * vStrides[head] + j * vStrides[position]
            for e in 0..<valueWidth { result[out + e] += weight * z[value + e] }
          }
          for e in 0..<valueWidth { result[out + e] /= sum }
        }
      }
    }
    return [.tensor(Tensor(element, shape, doubles: result))]
  }
}
