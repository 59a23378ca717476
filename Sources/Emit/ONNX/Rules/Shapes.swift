import Formats
import IR
import Support

extension Constant: ONNXEmission {
  func emit(_ c: ONNXEmissionContext) throws(Diagnostic) -> [String] {
    guard let value else { throw .bug("constant has no value") }
    return [try c.constant(value)]
  }
}

extension Shape: ONNXEmission {
  func emit(_ c: ONNXEmissionContext) throws(Diagnostic) -> [String] { [c.node("Shape", [try c.input(0)])] }
}

extension DimValue: ONNXEmission {
  func emit(_ c: ONNXEmissionContext) throws(Diagnostic) -> [String] { [try c.squeezed(try c.dims([value]))] }
}

extension Extent: ONNXEmission {
  func emit(_ c: ONNXEmissionContext) throws(Diagnostic) -> [String] {
    let value = try c.input(0)
    if let name = symbol.symbolName { c.writer.bind(name, to: try c.reshaped(value, to: [1])) }
    return [value]
  }
}

extension Iota: ONNXEmission {
  func emit(_ c: ONNXEmissionContext) throws(Diagnostic) -> [String] {
    let end = try c.squeezed(try c.dims([extent]))
    return [c.node("Range", [try c.number(0, .i64), end, try c.number(1, .i64)])]
  }
}

extension RandomBits: ONNXEmission {
  /// Every run gives the same numbers, so that they are a constant, while they are few.
  private static let limit = 1 << 20

  func emit(_ c: ONNXEmissionContext) throws(Diagnostic) -> [String] {
    let type = try c.resultType()
    guard let bytes = type.constantBytes, bytes <= RandomBits.limit else {
      throw .unsupported("random_bits: \(type) is too large to be written as a constant, or of open shape")
    }
    let values = try Evaluator(c.writer.module).evaluate(self, [], results: [.tensor(type)])
    guard let tensor = values.first?.tensor else { throw .bug("random_bits gives no tensor") }
    return [try c.constant(tensor)]
  }
}
