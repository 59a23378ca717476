import IR
import Support

/// An op that can be said in the format: by an operator of it, or by several.
///
/// Conformances live in `Emit/ONNX/Rules`, by family; an op without one is reported as not supported, with its
/// source name.
protocol ONNXEmission: OpKind {
  /// Adds the op's nodes and gives the names of its results.
  func emit(_ c: ONNXEmissionContext) throws(Diagnostic) -> [String]
}

/// One op on its way out: its operands as names, and words to add nodes with.
struct ONNXEmissionContext {
  let writer: ONNXGraphWriter
  let operation: Operation

  func has(_ number: Int) -> Bool { number < operation.operands.count && operation.operands[number] != nil }

  func input(_ number: Int) throws(Diagnostic) -> String {
    guard has(number), let value = operation.operands[number] else {
      throw .bug("\(operation.kind.mnemonic): operand \(number) is missing")
    }
    return try writer.name(of: value)
  }

  func optionalInput(_ number: Int) throws(Diagnostic) -> String? { has(number) ? try input(number) : nil }

  func inputs() throws(Diagnostic) -> [String] {
    try operation.operands.indices.map { number throws(Diagnostic) in try optionalInput(number) ?? "" }
  }

  func type(_ number: Int) throws(Diagnostic) -> TensorType {
    guard has(number), let value = operation.operands[number], let type = writer.function.tensorType(value) else {
      throw .bug("\(operation.kind.mnemonic): operand \(number) is no tensor")
    }
    return type
  }

  /// The constant that operand `number` is, where it is one.
  func constant(_ number: Int) -> Tensor? {
    has(number) ? operation.operands[number].flatMap { writer.constantTensor($0) } : nil
  }

  func resultType(_ number: Int = 0) throws(Diagnostic) -> TensorType {
    guard number < operation.results.count, let type = writer.function.tensorType(operation.results[number]) else {
      throw .bug("\(operation.kind.mnemonic): result \(number) is no tensor")
    }
    return type
  }

  /// The element type in the file of an operand or result.
  func element(_ type: TensorType) throws(Diagnostic) -> ElementType {
    guard let element = type.element.storage, type.layout == nil else {
      throw .unsupported("the format has no tensors of type \(type)")
    }
    return element
  }

  func element(_ number: Int) throws(Diagnostic) -> ElementType { try element(try type(number)) }

  /// How refusals begin.
  var mnemonic: String { operation.kind.mnemonic }
}
