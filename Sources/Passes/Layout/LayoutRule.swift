import IR

/// How an op follows when the axes of its data are permuted: what its operands and result become.
struct LayoutRule {
  enum Role: Equatable {
    /// Takes the operand with permuted axes.
    case follows([Int])
    /// Takes the operand with axes of extent 1 in front up to this rank, then permuted.
    case expands(rank: Int, [Int])
    /// Takes the operand as it is.
    case stays
  }

  /// The op on permuted data.
  var kind: any OpKind
  var operands: [Role]
  var result: [Int]

  /// What starts the permutation.
  enum Origin {
    case operand(Int, [Int])
    case result([Int])
  }

  /// The rule of an op, or nil where it cannot follow.
  init?(_ op: OpID, from origin: Origin, in context: PassContext) {
    let operation = context.function[op]
    guard operation.results.count == 1, operation.regions.isEmpty,
      let type = context.function.tensorType(operation.results[0]), LayoutRule.isMovable(type, context)
    else { return nil }
    var types: [TensorType?] = []
    for operand in operation.operands {
      guard let operand else {
        types.append(nil)
        continue
      }
      guard let type = context.function.tensorType(operand), LayoutRule.isMovable(type, context) else { return nil }
      types.append(type)
    }
    guard let rule = LayoutRule.find(operation.kind, types, type, origin) else { return nil }
    self = rule
  }

  private init(kind: any OpKind, operands: [Role], result: [Int]) {
    self.kind = kind
    self.operands = operands
    self.result = result
  }

  /// Dense, with the same quantization everywhere.
  private static func isMovable(_ type: TensorType, _ context: PassContext) -> Bool {
    switch type.element {
    case .plain: return type.layout == nil
    case .quantized(_, let name):
      guard let parameters = context.inferenceContext.quantizations[name] else { return false }
      return type.layout == nil && parameters.axis == nil
    case .block: return false
    }
  }

  private static func find(
    _ kind: any OpKind, _ types: [TensorType?], _ result: TensorType, _ origin: Origin
  ) -> LayoutRule? {
    switch kind {
    case is Unary, is Binary, is Compare, is Select, is Cast:
      return elementwise(kind, types, result, origin)
    case var kind as Broadcast:
      guard let p = permutation(of: result.rank, origin, types) else { return nil }
      kind.shape = p.map { result.shape[$0] }
      return LayoutRule(kind: kind, operands: [role(types[0], p)], result: p)
    case var kind as Concat:
      guard let p = permutation(of: result.rank, origin, types), let axis = moved(kind.axis, p) else { return nil }
      kind.axis = axis
      return LayoutRule(kind: kind, operands: types.map { _ in .follows(p) }, result: p)
    case var kind as Softmax:
      guard let p = permutation(of: result.rank, origin, types), let axis = moved(kind.axis, p) else { return nil }
      kind.axis = axis
      return LayoutRule(kind: kind, operands: [.follows(p)], result: p)
    case let kind as LayerNorm: return rowwise(kind, kind.axis, types, result, origin)
    case let kind as RMSNorm: return rowwise(kind, kind.axis, types, result, origin)
    case var kind as Pad:
      guard let p = permutation(of: result.rank, origin, types) else { return nil }
      kind.before = p.map { kind.before[$0] }
      kind.after = p.map { kind.after[$0] }
      return LayoutRule(kind: kind, operands: [.follows(p)], result: p)
    case var kind as Slice:
      guard let p = permutation(of: result.rank, origin, types) else { return nil }
      kind.starts = p.map { kind.starts[$0] }
      kind.sizes = p.map { kind.sizes[$0] }
      kind.steps = p.map { kind.steps[$0] }
      return LayoutRule(kind: kind, operands: [.follows(p)], result: p)
    case let kind as Reduce: return reduction(kind, types, origin)
    case let kind as Quantize: return quantization(kind, \.axis, types, result, origin)
    case let kind as Dequantize: return quantization(kind, \.axis, types, result, origin)
    case let kind as FakeQuant: return quantization(kind, \.axis, types, result, origin)
    case let kind as ArgExtreme: return alongAxis(kind, \.axis, types, result, origin)
    case let kind as Cumulative: return alongAxis(kind, \.axis, types, result, origin)
    case let kind as GatherElements: return alongAxis(kind, \.axis, types, result, origin)
    // Updates that meet the same element come in the order along the axis, which stays.
    case let kind as ScatterElements: return alongAxis(kind, \.axis, types, result, origin)
    case var kind as ReverseSequence:
      guard let p = permutation(of: result.rank, origin, types), let batch = moved(kind.batchAxis, p),
        let time = moved(kind.timeAxis, p)
      else { return nil }
      kind.batchAxis = batch
      kind.timeAxis = time
      return LayoutRule(kind: kind, operands: [.follows(p), .stays], result: p)
    case var kind as Resize:
      guard types.dropFirst().allSatisfy({ $0 == nil }), let p = permutation(of: result.rank, origin, types) else {
        return nil
      }
      kind.shape = p.map { kind.shape[$0] }
      if !kind.scales.isEmpty { kind.scales = p.map { kind.scales[$0] } }
      if !kind.region.isEmpty { kind.region = (p + p.map { $0 + p.count }).map { kind.region[$0] } }
      return LayoutRule(kind: kind, operands: [.follows(p)] + types.dropFirst().map { _ in .stays }, result: p)
    default: return nil
    }
  }

  /// Rows may change places as long as they stay rows.
  private static func rowwise(
    _ kind: any OpKind, _ axis: Int, _ types: [TensorType?], _ result: TensorType, _ origin: Origin
  ) -> LayoutRule? {
    guard let p = permutation(of: result.rank, origin, types), p.count == result.rank else { return nil }
    let first = axis < 0 ? axis + p.count : axis
    guard p.indices.allSatisfy({ $0 < first || p[$0] == $0 }) else { return nil }
    if case .operand(let number, _) = origin, number > 0 { return nil }
    return LayoutRule(kind: kind, operands: [.follows(p)] + types.dropFirst().map { _ in .stays }, result: p)
  }

  private static func elementwise(
    _ kind: any OpKind, _ types: [TensorType?], _ result: TensorType, _ origin: Origin
  ) -> LayoutRule? {
    guard let p = permutation(of: result.rank, origin, types) else { return nil }
    return LayoutRule(kind: kind, operands: types.map { role($0, p) }, result: p)
  }

  /// Elementwise but for the parameters, which lie along an axis and stay as they are.
  private static func quantization<Kind: OpKind>(
    _ kind: Kind, _ axis: WritableKeyPath<Kind, Int>, _ types: [TensorType?], _ result: TensorType, _ origin: Origin
  ) -> LayoutRule? {
    guard var rule = elementwise(kind, Array(types.prefix(1)), result, origin) else { return nil }
    guard types.count > 1 else { return rule }
    guard let place = moved(kind[keyPath: axis], rule.result) else { return nil }
    var kind = kind
    kind[keyPath: axis] = place
    rule.kind = kind
    rule.operands += types.dropFirst().map { _ in .stays }
    return rule
  }

  /// Works along one axis of tensors that all have the rank of the result.
  private static func alongAxis<Kind: OpKind>(
    _ kind: Kind, _ axis: WritableKeyPath<Kind, Int>, _ types: [TensorType?], _ result: TensorType, _ origin: Origin
  ) -> LayoutRule? {
    guard let p = permutation(of: result.rank, origin, types), let position = moved(kind[keyPath: axis], p) else {
      return nil
    }
    var copy = kind
    copy[keyPath: axis] = position
    return LayoutRule(kind: copy, operands: types.map { _ in .follows(p) }, result: p)
  }

  /// Removes axes, so the way back from a result is not unique unless they are kept.
  private static func reduction(_ kind: Reduce, _ types: [TensorType?], _ origin: Origin) -> LayoutRule? {
    guard let rank = types[0]?.rank else { return nil }
    let p: [Int]
    switch origin {
    case .operand(_, let permutation): p = permutation
    case .result(let permutation):
      guard kind.keepDims else { return nil }
      p = permutation
    }
    guard p.count == rank else { return nil }
    var axes: [Int] = []
    for axis in kind.axes {
      guard let position = moved(axis, p) else { return nil }
      axes.append(position)
    }
    var copy = kind
    copy.axes = axes.sorted()
    if kind.keepDims { return LayoutRule(kind: copy, operands: [.follows(p)], result: p) }
    let reduced = kind.axes.isEmpty ? Set(0..<rank) : Set(kind.axes.map { $0 < 0 ? $0 + rank : $0 })
    let kept = (0..<rank).filter { !reduced.contains($0) }
    let order = p.filter { !reduced.contains($0) }
    return LayoutRule(kind: copy, operands: [.follows(p)], result: order.compactMap { kept.firstIndex(of: $0) })
  }

  /// The permutation as it applies to all axes of the result.
  private static func permutation(of rank: Int, _ origin: Origin, _ types: [TensorType?]) -> [Int]? {
    switch origin {
    case .result(let p): return p
    case .operand(let number, let p): return p.count == rank && types[number]?.rank == rank ? p : nil
    }
  }

  private static func role(_ type: TensorType?, _ p: [Int]) -> Role {
    guard let type, type.shape.contains(where: { $0.constant != 1 }) else { return .stays }
    return type.rank == p.count ? .follows(p) : .expands(rank: p.count, p)
  }

  private static func moved(_ axis: Int, _ p: [Int]) -> Int? { p.firstIndex(of: axis < 0 ? axis + p.count : axis) }
}

/// The permutation that undoes another.
func inverse(_ permutation: [Int]) -> [Int] {
  var result = permutation
  for (position, axis) in permutation.enumerated() { result[axis] = position }
  return result
}

/// `transpose (transpose x {first}) {second}` in one.
func composed(_ first: [Int], _ second: [Int]) -> [Int] { second.map { first[$0] } }

func isIdentity(_ permutation: [Int]) -> Bool { permutation == Array(permutation.indices) }
