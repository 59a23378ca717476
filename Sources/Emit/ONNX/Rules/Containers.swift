import Formats
import IR
import Support

extension SequenceMake: ONNXEmission {
  func emit(_ c: ONNXEmissionContext) throws(Diagnostic) -> [String] {
    if !c.operation.operands.isEmpty { return [c.node("SequenceConstruct", try c.inputs())] }
    guard let type = element?.tensor else {
      throw .unsupported("sequence_make: the format has sequences of tensors only")
    }
    let number = Int(ONNXDataType(try c.element(type)).rawValue)
    return [c.node("SequenceEmpty", [], [ONNXAttribute("dtype", int: number)])]
  }
}

extension SequenceAt: ONNXEmission {
  func emit(_ c: ONNXEmissionContext) throws(Diagnostic) -> [String] {
    [c.node("SequenceAt", [try c.input(0), try c.index(1)])]
  }
}

extension SequenceLength: ONNXEmission {
  func emit(_ c: ONNXEmissionContext) throws(Diagnostic) -> [String] { [c.node("SequenceLength", [try c.input(0)])] }
}

extension OptionalMake: ONNXEmission {
  func emit(_ c: ONNXEmissionContext) throws(Diagnostic) -> [String] {
    if let value = try c.optionalInput(0) { return [c.node("Optional", [value])] }
    guard let element else { throw .bug("optional_make has neither a value nor a type") }
    return [c.node("Optional", [], [ONNXAttribute("type", type: try ONNXType(element))])]
  }
}

extension OptionalHas: ONNXEmission {
  func emit(_ c: ONNXEmissionContext) throws(Diagnostic) -> [String] {
    [c.node("OptionalHasElement", [try c.input(0)])]
  }
}

extension OptionalGet: ONNXEmission {
  func emit(_ c: ONNXEmissionContext) throws(Diagnostic) -> [String] {
    [c.node("OptionalGetElement", [try c.input(0)])]
  }
}
