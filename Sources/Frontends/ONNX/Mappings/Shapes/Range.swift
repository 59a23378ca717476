import IR
import Support

extension ONNXMapping {
  /// `start + index * delta` below `limit`: constants where all are known, computed otherwise.
  static let range = ONNXMapping(["Range"], 11...newest, inputs: 3...3, attributes: ["stash_type"]) {
    c throws(Diagnostic) in
    var scalars: [ValueID] = []
    for value in try c.allInputs() { scalars.append(try c.reshape(value, [])) }
    let (start, limit, delta) = (scalars[0], scalars[1], scalars[2])
    let element = try c.element(start)
    let count = try c.rangeLength(start, limit, delta, element)
    let index = try c.iota(count)
    if element == .i64, c.dims(start)?.first == 0, c.dims(delta)?.first == 1 { return [index] }
    // Floats compute in f64: `index * delta` is rounded once, together with the sum.
    let computed: ElementType = element.isFloat ? .f64 : element
    let offset = try c.binary(.mul, try c.cast(index, to: computed), try c.cast(delta, to: computed))
    return [try c.cast(try c.binary(.add, try c.cast(start, to: computed), offset), to: element)]
  }
}

extension ONNXNodeContext {
  fileprivate func rangeLength(
    _ start: ValueID, _ limit: ValueID, _ delta: ValueID, _ element: ElementType
  ) throws(Diagnostic) -> Dim {
    if !element.isFloat, let first = dims(start)?.first, let last = dims(limit)?.first, let step = dims(delta)?.first,
      let number = step.constant, number != 0, number.magnitude < 1 << 40
    {
      let distance = number > 0 ? last - first : first - last
      return maximum(distance.ceilDivided(by: Dim(abs(number))), 0)
    }
    if let zero = tensor(delta)?.doubles().first, zero == 0 { throw .invalid("delta is 0") }
    let (first, last, step) = (try cast(start, to: .f64), try cast(limit, to: .f64), try cast(delta, to: .f64))
    let quotient = try binary(.div, try binary(.sub, last, first), step)
    let count = try binary(.maximum, try unary(.ceil, quotient), try scalar(0.0, .f64))
    return try extent(of: try cast(count, to: .i64), "length")
  }
}
