import Formats
import IR
import Support

/// What a mapping sees of its node: inputs, attributes, and the graph to add to.
struct ONNXNodeContext {
  let importer: ONNXImporter
  let node: ONNXNode
  /// Of the operator set.
  let version: Int
  let operands: [ValueID?]

  // MARK: Inputs

  /// Input `number`, which must be there.
  func input(_ number: Int) throws(Diagnostic) -> ValueID {
    guard let value = optionalInput(number) else { throw .invalid("input \(number) is missing") }
    return value
  }

  func optionalInput(_ number: Int) -> ValueID? { number < operands.count ? operands[number] : nil }

  /// All inputs, none of which may be left out.
  func allInputs() throws(Diagnostic) -> [ValueID] {
    var result: [ValueID] = []
    for number in operands.indices { result.append(try input(number)) }
    return result
  }

  /// True when the node has an output `number` that somebody may read.
  func hasOutput(_ number: Int) -> Bool { number < node.outputs.count && !node.outputs[number].isEmpty }

  func fact(_ value: ValueID) -> ValueFact { importer.builder.function[value].fact }

  func type(_ value: ValueID) throws(Diagnostic) -> TensorType {
    guard let type = importer.builder.function.tensorType(value) else {
      throw .invalid("an input is \(importer.builder.function.type(value)), expected a tensor")
    }
    return type
  }

  func shape(_ value: ValueID) throws(Diagnostic) -> [Dim] { try type(value).shape }
  func rank(_ value: ValueID) throws(Diagnostic) -> Int { try type(value).rank }

  /// The plain element type of a tensor.
  func element(_ value: ValueID) throws(Diagnostic) -> ElementType {
    let type = try type(value)
    guard let element = type.plain else { throw .unsupported("an input is \(type), expected plain elements") }
    return element
  }

  /// Ranges of the symbols so far.
  var symbols: [String: ClosedRange<Int>] { importer.builder.module.inferenceContext.symbols }

  /// An axis counted from the end when negative.
  func axis(_ axis: Int, rank: Int) throws(Diagnostic) -> Int {
    guard axis >= -rank, axis < rank else { throw .invalid("axis \(axis) is outside of rank \(rank)") }
    return axis < 0 ? axis + rank : axis
  }

  // MARK: What is known of values

  /// The elements, where they follow from constants.
  func tensor(_ value: ValueID) -> Tensor? { importer.constantTensor(value) }

  /// The elements of an integer tensor, where they follow from constants or extents.
  func dims(_ value: ValueID) -> [Dim]? {
    if let elements = fact(value).elements { return elements }
    return integers(value)?.map { Dim($0) }
  }

  func integers(_ value: ValueID) -> [Int]? {
    if fact(value).type.tensor?.constantShape?.contains(0) == true { return [] }
    guard let tensor = tensor(value), let element = tensor.storage, !element.isFloat, element != .string else {
      return nil
    }
    return tensor.integers()
  }

  /// The elements of an input that must be constant.
  func constantIntegers(_ number: Int, _ name: String) throws(Diagnostic) -> [Int]? {
    guard let value = optionalInput(number) else { return nil }
    guard let integers = integers(value) else {
      throw .unsupported("\(name) is computed at run time; it must be constant")
    }
    return integers
  }

  // MARK: Attributes

  private func attribute(_ name: String, _ kind: ONNXAttribute.Kind) throws(Diagnostic) -> ONNXAttribute? {
    guard let attribute = node.attribute(name) else { return nil }
    guard attribute.reference.isEmpty else {
      throw .invalid("attribute \"\(name)\" refers to one of a function, but this is none")
    }
    // An empty list may have been written as no value at all.
    let isEmptyList = attribute.kind == .undefined && (kind == .ints || kind == .floats || kind == .strings)
    guard attribute.kind == kind || isEmptyList else {
      throw .invalid("attribute \"\(name)\" is of kind \(attribute.kind), expected \(kind)")
    }
    return attribute
  }

  func int(_ name: String) throws(Diagnostic) -> Int? { try attribute(name, .int)?.int }
  func int(_ name: String, default value: Int) throws(Diagnostic) -> Int { try int(name) ?? value }
  func flag(_ name: String, default value: Bool) throws(Diagnostic) -> Bool { try int(name).map { $0 != 0 } ?? value }
  func float(_ name: String) throws(Diagnostic) -> Double? { try attribute(name, .float).map { Double($0.float) } }
  func float(_ name: String, default value: Float) throws(Diagnostic) -> Double { try float(name) ?? Double(value) }
  func ints(_ name: String) throws(Diagnostic) -> [Int]? { try attribute(name, .ints)?.ints }
  func floats(_ name: String) throws(Diagnostic) -> [Float]? { try attribute(name, .floats)?.floats }

  func string(_ name: String, default value: String) throws(Diagnostic) -> String {
    guard let attribute = try attribute(name, .string) else { return value }
    guard let text = attribute.string else { throw .invalid("attribute \"\(name)\" is not UTF-8") }
    return text
  }

  func byteStrings(_ name: String) throws(Diagnostic) -> [[UInt8]]? {
    try attribute(name, .strings)?.byteStrings.map(\.bytes)
  }
  func bytes(_ name: String) throws(Diagnostic) -> [UInt8]? { try attribute(name, .string)?.bytes.bytes }

  func tensorAttribute(_ name: String) throws(Diagnostic) -> Tensor? {
    guard let tensor = try attribute(name, .tensor)?.tensor else { return nil }
    return try importer.decode(tensor)
  }

  func graph(_ name: String) throws(Diagnostic) -> ONNXGraph {
    guard let graph = try attribute(name, .graph)?.graph else { throw .invalid("attribute \"\(name)\" is missing") }
    return graph
  }

  func type(_ name: String) throws(Diagnostic) -> ONNXType? { try attribute(name, .type)?.type }

  /// The element type that an attribute names by number.
  func elementType(_ name: String) throws(Diagnostic) -> ElementType? {
    guard let number = try int(name) else { return nil }
    guard let raw = Int32(exactly: number), let type = ONNXDataType(rawValue: raw) else {
      throw .invalid("attribute \"\(name)\" names element type \(number), which does not exist")
    }
    guard let element = type.elementType else { throw .unsupported("element type \(type) is not supported") }
    return element
  }
}
