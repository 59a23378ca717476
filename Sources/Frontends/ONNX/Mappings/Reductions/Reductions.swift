import IR
import Support

extension ONNXMapping {
  /// Axes were an attribute until opset 12 for `ReduceSum` and until opset 17 for the others; then they are an input.
  static let reductions: [ONNXMapping] = [
    argMax, hardmax, flatHardmax,
    ONNXMapping(["ReduceSum"], 1...12, inputs: 1...1, attributes: ["axes", "keepdims"], map: reduce),
    ONNXMapping(
      ["ReduceSum"], 13...newest, inputs: 1...2, attributes: ["keepdims", "noop_with_empty_axes"], map: reduce),
    ONNXMapping(otherReductions, 1...17, inputs: 1...1, attributes: ["axes", "keepdims"], map: reduce),
    ONNXMapping(
      otherReductions, 18...newest, inputs: 1...2, attributes: ["keepdims", "noop_with_empty_axes"], map: reduce),
  ]

  private static let otherReductions = [
    "ReduceMean", "ReduceMax", "ReduceMin", "ReduceProd", "ReduceSumSquare", "ReduceL1", "ReduceL2", "ReduceLogSum",
    "ReduceLogSumExp",
  ]

  private static let plainReductions: [String: Reduce.Function] = [
    "ReduceSum": .sum, "ReduceMean": .mean, "ReduceMax": .max, "ReduceMin": .min, "ReduceProd": .prod,
  ]

  private static let reduce: Map = { c throws(Diagnostic) in
    let x = try c.input(0)
    let rank = try c.rank(x)
    let keepDims = try c.flag("keepdims", default: true)
    var axes: [Int] = []
    let byInput = c.optionalInput(1)
    let byAttribute = try c.ints("axes")
    // Nil for axes that are only known at run time.
    let known = byInput.map { c.integers($0) } ?? byAttribute ?? []
    for number in known ?? [] { axes.append(try c.axis(number, rank: rank)) }
    if known?.isEmpty == true, try !c.flag("noop_with_empty_axes", default: false) { axes = Array(0..<rank) }
    func reduce(_ function: Reduce.Function, _ value: ValueID) throws(Diagnostic) -> ValueID {
      if known == nil, let byInput { return try c.reduced(function, value, computed: byInput, keepDims: keepDims) }
      return try c.reduce(function, value, axes: axes, keepDims: keepDims)
    }
    if let function = plainReductions[c.node.operatorType] { return [try reduce(function, x)] }
    switch c.node.operatorType {
    case "ReduceSumSquare": return [try reduce(.sum, try c.binary(.mul, x, x))]
    case "ReduceL1": return [try reduce(.sum, try c.unary(.abs, x))]
    case "ReduceL2":
      let element = try c.element(x)
      if element.isFloat { return [try c.unary(.sqrt, try reduce(.sum, try c.binary(.mul, x, x)))] }
      let real = try c.cast(x, to: .f64)
      return [try c.cast(try c.unary(.sqrt, try reduce(.sum, try c.binary(.mul, real, real))), to: element)]
    case "ReduceLogSum": return [try c.unary(.log, try reduce(.sum, x))]
    default:
      // The greatest power is 1 once it is divided out, so nothing overflows. An infinite maximum stays out of it.
      let greatest = try c.reduce(.max, x, axes: known == nil ? Array(0..<rank) : axes, keepDims: known != nil)
      let isFinite = try c.compare(
        .less, try c.unary(.abs, greatest), try c.number(.infinity, like: x))
      let shift = try c.select(isFinite, greatest, try c.number(0, like: x))
      let sum = try reduce(.sum, try c.unary(.exp, try c.binary(.sub, x, shift)))
      let addend = known == nil ? shift : try c.reshape(shift, try c.shape(sum))
      return [try c.binary(.add, try c.unary(.log, sum), addend)]
    }
  }
}
