import Formats
import IR
import Support

extension ONNXMapping {
  static let splitToSequence = ONNXMapping(
    ["SplitToSequence"], 11...newest, inputs: 1...2, attributes: ["axis", "keepdims"]
  ) { c throws(Diagnostic) in
    let x = try c.input(0)
    let axis = try c.axis(try c.int("axis", default: 0), rank: try c.rank(x))
    let sizes = try c.partSizes(of: try c.shape(x)[axis])
    guard !sizes.isEmpty else { throw .unsupported("a sequence of no parts is not supported") }
    // Without sizes, parts are single and may lose their axis.
    let keeps = try c.flag("keepdims", default: true)
    let drops = !keeps && c.optionalInput(1) == nil
    var (parts, start) = ([ValueID](), Dim(0))
    for size in sizes {
      let part = try c.slice(x, axis: axis, start: start, size: size)
      var shape = try c.shape(part)
      if drops { shape.remove(at: axis) }
      parts.append(try c.reshape(part, shape))
      start = start + size
    }
    return [try c.sequence(parts)]
  }

  static let concatFromSequence = ONNXMapping(
    ["ConcatFromSequence"], 11...newest, inputs: 1...1, attributes: ["axis", "new_axis"]
  ) { c throws(Diagnostic) in
    var elements = try c.knownElements(0)
    guard let first = elements.first else { throw .unsupported("joining a sequence of nothing is not supported") }
    guard let given = try c.int("axis") else { throw .invalid("attribute \"axis\" is missing") }
    let isNew = try c.flag("new_axis", default: false)
    let axis = try c.axis(given, rank: try c.rank(first) + (isNew ? 1 : 0))
    if isNew {
      for number in elements.indices {
        var shape = try c.shape(elements[number])
        shape.insert(1, at: axis)
        elements[number] = try c.reshape(elements[number], shape)
      }
    }
    return [try c.concat(elements, axis: axis)]
  }

  /// The body in place of itself, once for each element.
  static let sequenceMap = ONNXMapping(["SequenceMap"], 17...newest, inputs: 1...Int.max, attributes: ["body"]) {
    c throws(Diagnostic) in
    let body = try c.graph("body")
    let count = try c.knownElements(0).count
    guard count > 0 else { throw .unsupported("mapping a sequence of nothing is not supported") }
    var mapped = body.outputs.map { _ in [ValueID]() }
    for number in 0..<count {
      var arguments: [ValueID] = []
      for operand in try c.allInputs() {
        guard case .sequence = c.fact(operand).type else {
          arguments.append(operand)
          continue
        }
        guard let elements = c.elements(of: operand), elements.count == count else {
          throw .invalid("the sequences to map differ in length, or only the run tells it")
        }
        arguments.append(elements[number])
      }
      for (place, value) in try c.importer.importSubgraph(body, arguments).enumerated() { mapped[place].append(value) }
    }
    var results: [ValueID] = []
    for elements in mapped { results.append(try c.sequence(elements)) }
    return results
  }
}

/// More parts are taken for a mistake: each becomes ops of its own.
private let mostParts = 4096

extension ONNXNodeContext {
  /// The sizes that the second input gives, or single elements.
  fileprivate func partSizes(of extent: Dim) throws(Diagnostic) -> [Dim] {
    var size = 1
    if let given = optionalInput(1) {
      if try rank(given) == 1 {
        let sizes = try extents(of: given, "part")
        let total = sizes.reduce(Dim(0), +)
        if let total = total.constant, let all = extent.constant, total != all {
          throw .invalid("parts of \(sizes) do not make up \(extent) elements")
        }
        return sizes
      }
      guard let known = try constantIntegers(1, "the size of parts")?.first else {
        throw .invalid("the size of parts is empty")
      }
      size = known
    }
    guard size > 0 else { throw .invalid("parts of \(size) elements do not exist") }
    guard let all = extent.constant else {
      throw .unsupported("the number of parts of \(extent) elements is known only when it runs")
    }
    let count = all / size + (all % size == 0 ? 0 : 1)
    guard count <= mostParts else { throw .unsupported("a sequence of \(count) parts is not supported") }
    return (0..<count).map { Dim(min(size, all - $0 * size)) }
  }
}
