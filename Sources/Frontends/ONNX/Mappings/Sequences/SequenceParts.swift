import Formats
import IR
import Support

extension ONNXMapping {
  static let splitToSequence = ONNXMapping(
    ["SplitToSequence"], 11...newest, inputs: 1...2, attributes: ["axis", "keepdims"]
  ) { c throws(Diagnostic) in
    let x = try c.input(0)
    let axis = try c.axis(try c.int("axis", default: 0), rank: try c.rank(x))
    let extent = try c.shape(x)[axis]
    guard let sizes = try c.partSizes(of: extent), !sizes.isEmpty else { return [try c.split(x, axis: axis)] }
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
    guard let given = try c.int("axis") else { throw .invalid("attribute \"axis\" is missing") }
    let isNew = try c.flag("new_axis", default: false)
    guard var elements = c.elements(of: try c.input(0)), let first = elements.first else {
      return [try c.joined(try c.input(0), axis: given, isNew: isNew)]
    }
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
    guard let count = c.elements(of: try c.input(0))?.count, count > 0 else { return try c.mapInLoop(body) }
    var mapped = body.outputs.map { _ in [ValueID]() }
    for number in 0..<count {
      var arguments: [ValueID] = []
      for operand in try c.allInputs() {
        guard case .sequence = c.fact(operand).type else {
          arguments.append(operand)
          continue
        }
        guard let elements = c.elements(of: operand) else { return try c.mapInLoop(body) }
        guard elements.count == count else { throw .invalid("the sequences to map differ in length") }
        arguments.append(elements[number])
      }
      for (place, value) in try c.importer.importSubgraph(body, arguments).enumerated() { mapped[place].append(value) }
    }
    var results: [ValueID] = []
    for elements in mapped { results.append(try c.sequence(elements)) }
    return results
  }
}

/// Each part becomes ops of its own; more than these are made when it runs.
private let mostParts = 4096

extension ONNXNodeContext {
  /// The sizes that the second input gives, or single elements; nil where only the run tells them.
  fileprivate func partSizes(of extent: Dim) throws(Diagnostic) -> [Dim]? {
    var size = 1
    if let given = optionalInput(1) {
      if try rank(given) == 1 {
        guard try shape(given)[0].constant != nil, dims(given) != nil else { return nil }
        let sizes = try extents(of: given, "part")
        let total = sizes.reduce(Dim(0), +)
        if let total = total.constant, let all = extent.constant, total != all {
          throw .invalid("parts of \(sizes) do not make up \(extent) elements")
        }
        return sizes
      }
      guard let known = integers(given)?.first else { return nil }
      size = known
    }
    guard size > 0 else { throw .invalid("parts of \(size) elements do not exist") }
    guard let all = extent.constant, case let count = all / size + (all % size == 0 ? 0 : 1), count <= mostParts
    else { return nil }
    return (0..<count).map { Dim(min(size, all - $0 * size)) }
  }

  /// Parts that only the run tells.
  fileprivate func split(_ x: ValueID, axis: Int) throws(Diagnostic) -> ValueID {
    let keeps = try flag("keepdims", default: true)
    let sizes = try optionalInput(1).map { value throws(Diagnostic) in try cast(value, to: .i64) }
    let drops = !keeps && sizes == nil
    guard case .tensor(var type) = opened(.tensor(try type(x))) else { throw .bug("a tensor of another type") }
    if drops { type.shape.remove(at: axis) } else { type.shape[axis] = sizes == nil ? 1 : importer.openExtent() }
    return try add(SequenceSplit(axis: axis, keep: !drops, member: .tensor(type)), x, sizes)
  }

  /// The members of a list that is not in sight, side by side or on top of each other.
  fileprivate func joined(_ list: ValueID, axis given: Int, isNew: Bool) throws(Diagnostic) -> ValueID {
    guard case .tensor(let type) = try member(of: list) else {
      throw .unsupported("the rank of what is joined is known only when it runs")
    }
    var shape = type.shape.map { $0.constant == nil ? freshSymbol("joined") : $0 }
    let axis = try axis(given, rank: shape.count + (isNew ? 1 : 0))
    if isNew { shape.insert(freshSymbol("joined"), at: axis) } else { shape[axis] = freshSymbol("joined") }
    return try add(SequenceJoin(axis: axis, stack: isNew, shape: shape), list)
  }

  /// The body for each member, in a loop that collects what it gives.
  fileprivate func mapInLoop(_ body: ONNXGraph) throws(Diagnostic) -> [ValueID] {
    let operands = try allInputs()
    let count = try add(SequenceLength(), operands[0])
    // What the body gives is known once it has been imported, for nothing, to see it.
    var types: [ValueType] = []
    try importer.onTrial { () throws(Diagnostic) in
      _ = try importer.region([ValueFact(.i64, []), ValueFact(.bool, [])]) { arguments throws(Diagnostic) in
        let results = try mapped(body, operands, at: arguments[0])
        types = results.map { fact($0).type }
        return []
      }
    }
    types = types.map(opened)
    var lists: [ValueID] = []
    for type in types { lists.append(try add(SequenceMake(element: type), [])) }
    let facts = [ValueFact(.i64, []), ValueFact(.bool, [])] + types.map { ValueFact(.sequence($0)) }
    let block = try importer.region(facts) { arguments throws(Diagnostic) in
      var yields = [arguments[1]]
      for (number, value) in try mapped(body, operands, at: arguments[0]).enumerated() {
        yields.append(try add(SequenceInsert(), arguments[2 + number], value))
      }
      return yields
    }
    return try importer.builder.add(Loop(), [count, nil] + lists, regions: [block])
  }

  private func mapped(_ body: ONNXGraph, _ operands: [ValueID], at index: ValueID) throws(Diagnostic) -> [ValueID] {
    var arguments: [ValueID] = []
    for operand in operands {
      guard case .sequence(let member) = fact(operand).type else {
        arguments.append(operand)
        continue
      }
      arguments.append(try add(SequenceAt(shape: try openShape(member)), operand, index))
    }
    return try importer.importSubgraph(body, arguments)
  }
}
