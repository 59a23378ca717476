import Formats
import IR
import Support

// The inputs of a model: their types, and symbols for the extents it does not fix.

extension ONNXImporter {
  /// No extent of an input is larger; bounds every size computed from symbols.
  private static let largestExtent = 1 << 20

  func checkOptions(_ inputs: [ONNXValueInfo]) throws(Diagnostic) {
    for name in options.shapes.keys.sorted()
    where !inputs.contains(where: { $0.name == name || isList($0, withMember: name) }) {
      let known = inputs.map { "\"\($0.name)\"" }.joined(separator: ", ")
      throw .usage("a shape is given for \"\(name)\", but there is no such input", hint: "the inputs are \(known)")
    }
  }

  /// Whether an input is a list, and a name that of one of its members' files.
  private func isList(_ info: ONNXValueInfo, withMember name: String) -> Bool {
    info.type?.tensor == nil && InputShapes.list(ofMember: name) == info.name
  }

  /// Binds every symbol that a given shape shows, before any type is made of it.
  func freezeSymbols(_ inputs: [ONNXValueInfo]) throws(Diagnostic) {
    for input in inputs {
      guard let given = options.shapes[input.name], let declared = input.type?.tensor?.shape?.dimensions else {
        continue
      }
      guard given.count == declared.count else {
        throw .usage("the shape \(given) for \"\(input.name)\" has \(given.count) axes, the model \(declared.count)")
      }
      for (extent, dimension) in zip(given, declared) {
        guard extent >= 0 else { throw .usage("the shape \(given) for \"\(input.name)\" has a negative extent") }
        if let value = dimension.value, value >= 0, value != extent {
          throw .usage("the shape \(given) for \"\(input.name)\" has \(extent) where the model has \(value)")
        }
        guard let name = dimension.parameter, !name.isEmpty else { continue }
        if let known = dimensions[name]?.constant, known != extent {
          throw .usage("the shapes given make \"\(name)\" both \(known) and \(extent)")
        }
        dimensions[name] = Dim(extent)
      }
    }
  }

  func valueType(of info: ONNXValueInfo) throws(Diagnostic) -> ValueType {
    guard let type = info.type else { throw .invalid("input \"\(info.name)\" has no type") }
    do throws(Diagnostic) {
      let result = try valueType(type, label: info.name)
      try result.check()
      return result
    } catch {
      throw Diagnostic(
        error.kind, "input \"\(info.name)\": \(error.message)", at: error.location, hint: error.hint)
    }
  }

  /// `label` names the symbols of extents that the model leaves open.
  func valueType(_ type: ONNXType, label: String) throws(Diagnostic) -> ValueType {
    if let element = type.sequenceElement { return .sequence(try memberType(element, label: label)) }
    if let element = type.optionalElement { return .optional(try memberType(element, label: label)) }
    guard let tensor = type.tensor else {
      throw .unsupported("only tensors, sequences and optional values are supported")
    }
    guard let element = tensor.elementType else {
      throw .unsupported("tensors of type \(ONNXDataType.name(tensor.rawType)) are not supported")
    }
    guard let shape = tensor.shape?.dimensions else {
      guard let given = options.shapes[label] else {
        throw .usage("the model does not even give its rank", hint: "give its shape with --shape")
      }
      return .tensor(element, given.map { Dim($0) })
    }
    let given = options.shapes[label]
    var dims: [Dim] = []
    for (axis, dimension) in shape.enumerated() {
      if let given, axis < given.count {
        dims.append(Dim(given[axis]))
      } else if let value = dimension.value, value >= 0 {
        dims.append(Dim(value))
      } else if let name = dimension.parameter, !name.isEmpty {
        dims.append(symbol(for: name))
      } else {
        dims.append(Dim(symbol: freshSymbol("\(label)_\(axis)", in: 1...ONNXImporter.largestExtent)))
      }
    }
    return .tensor(element, dims)
  }

  /// What a list holds: extents that the model does not fix are open, and may differ from member to member.
  private func memberType(_ type: ONNXType, label: String) throws(Diagnostic) -> ValueType {
    guard let tensor = type.tensor else { return try valueType(type, label: label) }
    guard let element = tensor.elementType else {
      throw .unsupported("tensors of type \(ONNXDataType.name(tensor.rawType)) are not supported")
    }
    if let given = options.shapes[label] { return .tensor(element, given.map { Dim($0) }) }
    guard let shape = tensor.shape?.dimensions else { return .anyTensor(element) }
    return .tensor(
      element, shape.map { dimension in dimension.value.flatMap { $0 >= 0 ? Dim($0) : nil } ?? openExtent() })
  }

  private func symbol(for name: String) -> Dim {
    if let known = dimensions[name] { return known }
    let symbol = Dim(symbol: freshSymbol(name, in: 1...ONNXImporter.largestExtent))
    dimensions[name] = symbol
    return symbol
  }

  /// A new symbol, called after `base` as far as that is an identifier.
  func freshSymbol(_ base: String, in range: ClosedRange<Int>) -> String {
    let name = builder.module.freshSymbol(ONNXImporter.identifier(base))
    builder.module.declare(symbol: name, in: range)
    return name
  }

  private static func identifier(_ name: String) -> String {
    var result = ""
    for scalar in name.unicodeScalars {
      let isPart = scalar == "_" || (scalar.isASCII && scalar.properties.isAlphabetic) || ("0"..."9").contains(scalar)
      result.unicodeScalars.append(isPart ? scalar : "_")
    }
    guard let first = result.unicodeScalars.first, !("0"..."9").contains(first) else { return "d" + result }
    return ["floordiv", "ceildiv", "mod", "min", "max"].contains(result) ? result + "_" : result
  }
}
