import Formats
import IR
import Support

// Adding nodes, in words short enough that a rule reads as the formula it is.

extension ONNXEmissionContext {
  /// One for nodes that belong to no op.
  static func bare(_ writer: ONNXGraphWriter) -> ONNXEmissionContext {
    ONNXEmissionContext(writer: writer, operation: ONNXEmissionContext.nothing)
  }

  private static let nothing: Operation = {
    var function = Function(name: "")
    let id = function.insert(Constant(mnemonic: "constant"), [], results: [], at: .end(function.body))
    return function[id]
  }()

  func nodes(_ type: String, _ inputs: [String], _ attributes: [ONNXAttribute] = [], outputs: Int) -> [String] {
    let names = (0..<outputs).map { _ in writer.fresh() }
    var inputs = inputs
    while inputs.last == "" { inputs.removeLast() }
    writer.add(ONNXNode(type, inputs: inputs, outputs: names, attributes: attributes))
    return names
  }

  func node(_ type: String, _ inputs: [String], _ attributes: [ONNXAttribute] = []) -> String {
    nodes(type, inputs, attributes, outputs: 1)[0]
  }

  // MARK: Constants

  func constant(_ tensor: Tensor) throws(Diagnostic) -> String { try writer.constant(tensor) }

  func number(_ value: Double, _ element: ElementType) throws(Diagnostic) -> String {
    try constant(element.isFloat ? .scalar(value, element) : .scalar(Int(saturating: value), element))
  }

  func integers(_ values: [Int], _ element: ElementType = .i64) throws(Diagnostic) -> String {
    try constant(Tensor(element, [values.count], integers: values))
  }

  // MARK: Types

  func cast(_ x: String, to element: ElementType) -> String {
    node("Cast", [x], [ONNXAttribute("to", int: Int(ONNXDataType(element).rawValue))])
  }

  func cast(_ x: String, _ from: ElementType, to element: ElementType) -> String {
    from == element ? x : cast(x, to: element)
  }

  /// `compute` in a wider type where runtimes have no code for `element`, and back: integers wrap alike, floats are
  /// rounded once more.
  func widened(
    _ element: ElementType, _ inputs: [String],
    in types: [ElementType: ElementType] = ONNXEmissionContext.arithmeticTypes,
    _ compute: ([String], ElementType) throws(Diagnostic) -> String
  ) throws(Diagnostic) -> String {
    guard let wide = types[element] else { return try compute(inputs, element) }
    return cast(try compute(inputs.map { cast($0, to: wide) }, wide), to: element)
  }

  /// In what to compute elements that runtimes move, but do not compute with.
  static let arithmeticTypes: [ElementType: ElementType] = [
    .i8: .i32, .u8: .i32, .i16: .i32, .u16: .i32, .u32: .i64, .bf16: .f32, .i4: .i32, .u4: .i32, .i2: .i32, .u2: .i32,
    .f8e4m3fn: .f32, .f8e4m3fnuz: .f32, .f8e5m2: .f32, .f8e5m2fnuz: .f32, .f8e8m0: .f32, .f4e2m1: .f32,
  ]

  /// In what to compute formulas of several steps, each of which would round.
  static let formulaTypes: [ElementType: ElementType] = {
    var types = arithmeticTypes
    types[.f16] = .f32
    return types
  }()

  // MARK: Shapes

  func transposed(_ x: String, _ permutation: [Int]) throws(Diagnostic) -> String {
    try writer.transposed(x, permutation)
  }

  /// `[N, spatial..., C]` as `[N, C, spatial...]`.
  func channelsFirst(_ x: String, rank: Int) throws(Diagnostic) -> String {
    try transposed(x, [0, rank - 1] + Array(1..<rank - 1))
  }

  /// `[N, C, spatial...]` as `[N, spatial..., C]`.
  func channelsLast(_ x: String, rank: Int) throws(Diagnostic) -> String {
    try transposed(x, [0] + Array(2..<rank) + [1])
  }

  func reshaped(_ x: String, to shape: [Int]) throws(Diagnostic) -> String {
    let zero = shape.contains(0) ? [ONNXAttribute("allowzero", int: 1)] : []
    return node("Reshape", [x, try integers(shape)], zero)
  }

  /// `x` of shape `from` under another one. Extents that stay and one that follows from the others need no arithmetic.
  func reshaped(_ x: String, _ from: [Dim], to shape: [Dim]) throws(Diagnostic) -> String {
    if from == shape { return x }
    let constants = shape.compactMap(\.constant)
    if constants.count == shape.count { return try reshaped(x, to: constants) }
    if !constants.contains(0) {
      var numbers: [Int] = []
      var open = 0
      for (axis, dim) in shape.enumerated() {
        if let value = dim.constant {
          numbers.append(value)
        } else if axis < from.count, from[axis] == dim {
          numbers.append(0)
        } else {
          numbers.append(-1)
          open += 1
        }
      }
      // An open extent beside one that may be 0 would not follow.
      let copied = numbers.indices.filter { numbers[$0] == 0 }
      let arePositive = copied.allSatisfy { shape[$0].bounds(writer.symbolRanges).lowerBound > 0 }
      if open == 0 || (open == 1 && arePositive) { return node("Reshape", [x, try integers(numbers)]) }
    }
    return node("Reshape", [x, try dims(shape)], [ONNXAttribute("allowzero", int: 1)])
  }

  func squeezed(_ vector: String) throws(Diagnostic) -> String { try reshaped(vector, to: []) }

  func expanded(_ x: String, _ from: [Dim], to shape: [Dim]) throws(Diagnostic) -> String {
    from == shape ? x : node("Expand", [x, try dims(shape)])
  }

  /// Part of `x` along one axis.
  func sliced(_ x: String, axis: Int, from start: Int, to end: Int) throws(Diagnostic) -> String {
    node("Slice", [x, try integers([start]), try integers([end]), try integers([axis])])
  }

  // MARK: Extents

  /// Expressions of extents as a vector of integers.
  func dims(_ dims: [Dim]) throws(Diagnostic) -> String {
    let constants = dims.compactMap(\.constant)
    if constants.count == dims.count { return try integers(constants) }
    var parts: [String] = []
    var run: [Int] = []
    for dim in dims {
      if let value = dim.constant {
        run.append(value)
        continue
      }
      if !run.isEmpty { parts.append(try integers(run)) }
      run = []
      parts.append(try self.dim(dim))
    }
    if !run.isEmpty { parts.append(try integers(run)) }
    return parts.count == 1 ? parts[0] : node("Concat", parts, [ONNXAttribute("axis", int: 0)])
  }

  /// One expression of extents as a vector of one integer.
  private func dim(_ dim: Dim) throws(Diagnostic) -> String {
    if let known = writer.knownDim(dim) { return known }
    var failure: Diagnostic?
    func attempt(_ make: () throws(Diagnostic) -> String) -> String {
      do throws(Diagnostic) { return try make() } catch {
        failure = failure ?? error
        return ""
      }
    }
    let result = dim.build(
      constant: { value in attempt { () throws(Diagnostic) in try integers([value]) } },
      symbol: { name in
        attempt { () throws(Diagnostic) in
          guard let value = writer.symbol(name) else {
            throw .unsupported("nothing in the graph tells the extent \(name)")
          }
          return value
        }
      }, combine: { operation, a, b in arithmetic(operation, a, b) })
    if let failure { throw failure }
    writer.remember(dim, as: result)
    return result
  }

  private func arithmetic(_ operation: Dim.Operator, _ a: String, _ b: String) -> String {
    switch operation {
    case .add: return node("Add", [a, b])
    case .multiply: return node("Mul", [a, b])
    case .mod: return node("Mod", [a, b])
    case .min: return node("Min", [a, b])
    case .max: return node("Max", [a, b])
    // Division rounds towards zero, the remainder belongs to one that rounds down.
    case .floordiv: return node("Div", [node("Sub", [a, node("Mod", [a, b])]), b])
    case .ceildiv: return node("Neg", [arithmetic(.floordiv, node("Neg", [a]), b)])
    }
  }
}
