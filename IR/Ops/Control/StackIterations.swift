import Support

/// What the iterations of a loop left behind, stacked along a new first axis, whose extent is that of `type`.
func stackIterations(
  _ parts: [Tensor], as type: TensorType, _ call: EvaluationCall, _ op: String
) throws(Diagnostic) -> Tensor {
  guard let first = parts.first else {
    // Nothing ran, so an extent that the body would have introduced has no value; there are no elements either way.
    let shape = [0] + type.shape.dropFirst().map { call.knownDim($0) ?? 0 }
    if type.plain == .string { return Tensor(strings: [], shape: shape) }
    return try Tensor(element: type.element, shape: shape, bytes: .empty)
  }
  for part in parts where part.shape != first.shape {
    throw .invalid("\(op): iterations leave shapes \(first.shape) and \(part.shape) behind")
  }
  let shape = [parts.count] + first.shape
  try checkAllocatable(shape, op)
  return try Tensor.joined(parts).reshaped(shape)
}
