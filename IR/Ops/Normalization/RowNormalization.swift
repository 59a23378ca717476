import Support

// What row normalisations share: their operands, and the walk over rows.

/// The type of `x`, with scale and bias checked: all of one element type, stretching to the axes from `axis` on.
func normalizedRows(
  _ inputs: [ValueFact], axis: Int, epsilon: Double, _ context: inout InferenceContext, _ op: String
) throws(Diagnostic) -> TensorType {
  let type = try inputs[0].dense(op)
  let axis = try normalized(axis: axis, rank: type.rank, op)
  guard epsilon >= 0, epsilon.isFinite else { throw .invalid("\(op): epsilon is \(epsilon)") }
  for number in 1..<max(inputs.count, 1) {
    guard let factor = try inputs.present(number)?.dense(op) else { continue }
    guard factor.plain == type.plain else {
      throw .invalid("\(op): operand \(number) is \(factor), but x is \(type)")
    }
    try context.require(factor.shape, broadcastsTo: Array(type.shape[axis...]), op)
  }
  return type
}

/// `normalize(row) * scale + bias` for every row of `x`, the axes from `axis` on making up a row.
func normalizeRows(
  _ inputs: [Value], axis: Int, _ op: String, _ normalize: (inout ArraySlice<Double>) -> Void
) throws(Diagnostic) -> [Value] {
  let x = try inputs[0].expectTensor()
  guard let element = x.storage else { throw .bug("\(op): cannot take \(x.type)") }
  let axis = try normalized(axis: axis, rank: x.shape.count, op)
  let row = Array(x.shape[axis...])
  let length = row.reduce(1, *)
  var values = x.doubles()
  let scale = try inputs.present(1).map { stretched($0.doubles(), $0.shape, to: row) }
  let bias = try inputs.present(2).map { stretched($0.doubles(), $0.shape, to: row) }
  for start in stride(from: 0, to: values.count, by: max(length, 1)) {
    normalize(&values[start..<start + length])
    if let scale { for i in 0..<length { values[start + i] *= scale[i] } }
    if let bias { for i in 0..<length { values[start + i] += bias[i] } }
  }
  return [.tensor(Tensor(element, x.shape, doubles: values))]
}
