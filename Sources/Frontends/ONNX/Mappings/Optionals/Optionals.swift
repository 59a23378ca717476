import Formats
import IR
import Support

extension ONNXMapping {
  static let optionals: [ONNXMapping] = [optional, optionalHasElement, optionalGetElement]

  static let optional = ONNXMapping(["Optional"], 15...newest, inputs: 0...1, attributes: ["type"]) {
    c throws(Diagnostic) in
    if let value = c.optionalInput(0) { return [try c.add(OptionalMake(), value)] }
    guard let type = try c.type("type") else { throw .invalid("attribute \"type\" is missing") }
    let element = try c.importer.valueType(type, label: "absent")
    return [try c.add(OptionalMake(element: element), nil)]
  }

  /// What is no optional value is there; an input left out is not.
  static let optionalHasElement = ONNXMapping(["OptionalHasElement"], 15...newest, inputs: 0...1) {
    c throws(Diagnostic) in
    guard let value = c.optionalInput(0) else { return [try c.constant(.scalar(0, .bool))] }
    guard case .optional = c.fact(value).type else { return [try c.constant(.scalar(1, .bool))] }
    if let isThere = c.presence(of: value) { return [try c.constant(.scalar(isThere ? 1 : 0, .bool))] }
    return [try c.add(OptionalHas(), value)]
  }

  static let optionalGetElement = ONNXMapping(["OptionalGetElement"], 15...newest, inputs: 1...1) {
    c throws(Diagnostic) in
    let value = try c.input(0)
    guard case .optional(let member) = c.fact(value).type else { return [value] }
    if let held = c.held(by: value) { return [held] }
    return [try c.add(OptionalGet(shape: try c.openShape(member)), value)]
  }
}

extension ONNXNodeContext {
  /// What a value that may be absent holds, where its making is in sight.
  fileprivate func held(by value: ValueID) -> ValueID? {
    guard let op = importer.builder.function.definingOp(value) else { return nil }
    let operation = importer.builder.function[op]
    return operation.kind is OptionalMake ? operation.operands[0] : nil
  }

  /// Whether a value that may be absent is there, where its making is in sight: then an `If` on it picks its branch.
  fileprivate func presence(of value: ValueID) -> Bool? {
    guard let op = importer.builder.function.definingOp(value) else { return nil }
    let operation = importer.builder.function[op]
    return operation.kind is OptionalMake ? operation.operands[0] != nil : nil
  }
}
