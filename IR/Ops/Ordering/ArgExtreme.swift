import Support

/// The index of the greatest (`arg_max`) or least (`arg_min`) element along `axis`, which stays with an extent of 1.
///
///     %0: f32[8, 1000]
///     %1 = arg_max %0 {axis = 1} : i64[8, 1]
///
/// Of equal elements the first counts, or with `last` the last one. NaN is taken for the extreme.
public struct ArgExtreme: OpKind {
  public enum Function: String, CaseIterable, Sendable {
    case max = "arg_max"
    case min = "arg_min"
  }

  public static let mnemonics = Function.allCases.map(\.rawValue)
  public static let operands = [OperandSpec("x", .number)]

  public var function: Function
  /// Negative axes count from the end.
  public var axis = 0
  public var last = false
  public var mnemonic: String { function.rawValue }

  public init(mnemonic: String) { function = Function(rawValue: mnemonic) ?? .max }
  public init(_ function: Function, axis: Int, last: Bool = false) {
    self.function = function
    self.axis = axis
    self.last = last
  }

  public mutating func attributes(_ visitor: inout some AttributeVisitor) throws(Diagnostic) {
    try visitor.int("axis", &axis)
    try visitor.bool("last", &last)
  }

  public func inferTypes(
    _ inputs: [ValueFact], regions: [RegionFact], in context: inout InferenceContext
  ) throws(Diagnostic) -> [ValueFact] {
    let type = try inputs[0].dense(mnemonic)
    let axis = try normalized(axis: axis, rank: type.rank, mnemonic)
    var shape = type.shape
    shape[axis] = 1
    let results = shape.reduce(Dim(1), *)
    // Without results, nothing is asked of an empty axis; run time tells where dims do not.
    if type.shape[axis].constant == 0, let count = results.constant, count > 0 {
      throw .invalid("\(mnemonic): axis \(axis) of \(type) is empty")
    }
    return [ValueFact(.i64, shape)]
  }

  public func evaluate(_ inputs: [Value], _ call: inout EvaluationCall) throws(Diagnostic) -> [Value] {
    let x = try inputs[0].expectTensor()
    let axis = try normalized(axis: axis, rank: x.shape.count, mnemonic)
    var shape = x.shape
    shape[axis] = 1
    let lines = AxisLines(x.shape, axis: axis)
    if shape.contains(0) { return [.tensor(Tensor(.i64, shape, integers: []))] }
    guard lines.extent > 0 else { throw .invalid("\(mnemonic): axis \(axis) is empty") }
    let order = ElementOrder(x)
    let isNaN = x.isFloat ? x.doubles().map(\.isNaN) : []
    func better(_ a: Int, _ b: Int) -> Bool {
      if !isNaN.isEmpty, isNaN[a] || isNaN[b] { return isNaN[a] && (last || !isNaN[b]) }
      let relation = function == .max ? order.compare(a, b) : order.compare(b, a)
      return last ? relation >= 0 : relation > 0
    }
    var result: [Int] = []
    for start in lines.starts {
      var best = 0
      for i in 1..<lines.extent where better(start + i * lines.stride, start + best * lines.stride) { best = i }
      result.append(best)
    }
    return [.tensor(Tensor(.i64, shape, integers: result))]
  }
}
