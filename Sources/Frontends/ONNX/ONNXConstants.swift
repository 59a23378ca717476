import Formats
import IR
import Support

// Constants: how the file's tensors enter the graph, and what is known of computed ones.

extension ONNXImporter {
  /// The tensor as a view of the file where that is possible.
  func decode(_ tensor: ONNXTensor) throws(Diagnostic) -> Tensor {
    guard let element = tensor.elementType else {
      _ = try tensor.bytes()
      throw .unsupported("tensors of type \(ONNXDataType.name(tensor.rawType)) are not supported")
    }
    _ = try tensor.elementCount()
    try TensorType(element, tensor.dims.map { Dim($0) }).check()
    if element == .string { return Tensor(strings: try tensor.strings().map(\.bytes), shape: tensor.dims) }
    return try Tensor(element: .plain(element), shape: tensor.dims, bytes: try tensor.bytes())
  }

  /// Small integers and scalars become ops, so that typing sees their elements; the rest stays a view.
  func constant(_ tensor: Tensor, name: String) throws(Diagnostic) -> ValueID {
    let isInteger = tensor.storage.map { !$0.isFloat } ?? false
    if tensor.storage == .string || tensor.count <= 1 || (isInteger && tensor.count <= ValueFact.limit) {
      return try builder.constant(tensor)
    }
    return try weight(tensor, name: name)
  }

  func weight(_ tensor: Tensor, name: String) throws(Diagnostic) -> ValueID {
    let unique = builder.module.freshWeight(name)
    builder.module.add(Weight(name: unique, tensor: tensor, origin: "onnx:\(name)"))
    return try builder.weight(unique)
  }

  /// The elements of a value that follows from constants alone; nil for others and for large computed ones.
  func constantTensor(_ value: ValueID) -> Tensor? { constantTensor(value, depth: 0) }

  private static let depthLimit = 64
  private static let countLimit = 1 << 14

  private func constantTensor(_ value: ValueID, depth: Int) -> Tensor? {
    if let known = constants[value] { return known }
    let result = computeConstant(value, depth: depth)
    // What lay too deep may be asked for again from nearer by.
    if result != nil || depth == 0 { constants[value] = .some(result) }
    return result
  }

  private func computeConstant(_ value: ValueID, depth: Int) -> Tensor? {
    let function = builder.function
    if let name = function.weightName(value) { return builder.module.weight(name)?.tensor }
    let fact = function[value].fact
    if let integers = fact.knownIntegers, let type = fact.type.tensor, let element = type.plain,
      let shape = type.constantShape
    {
      return Tensor(element, shape, integers: integers)
    }
    guard case .result(let op, let number) = function[value].definition else { return nil }
    let operation = function[op]
    if let constant = operation.kind as? Constant { return constant.value }
    guard depth < ONNXImporter.depthLimit, operation.regions.isEmpty, operation.kind.effects.isPure,
      let shape = fact.type.tensor?.constantShape, isSmall(shape), !operation.operands.isEmpty
    else { return nil }
    var inputs: [Value] = []
    for operand in operation.operands {
      guard let operand else {
        inputs.append(.optional(nil))
        continue
      }
      guard let shape = function.tensorType(operand)?.constantShape, isSmall(shape),
        let tensor = constantTensor(operand, depth: depth + 1)
      else { return nil }
      inputs.append(.tensor(tensor))
    }
    let evaluator = Evaluator(builder.module)
    let types = operation.results.map { function.type($0) }
    // An op that fails on these constants says so when it runs.
    guard let results = try? evaluator.evaluate(operation.kind, inputs, results: types) else { return nil }
    return number < results.count ? results[number].tensor : nil
  }

  private func isSmall(_ shape: [Int]) -> Bool {
    var count = 1
    for extent in shape {
      guard extent <= ONNXImporter.countLimit else { return false }
      count *= max(extent, 1)
      if count > ONNXImporter.countLimit { return false }
    }
    return true
  }
}
