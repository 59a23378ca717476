import IR
import Support

extension ONNXMapping {
  static let sequences: [ONNXMapping] = [
    sequenceConstruct, sequenceEmpty, sequenceAt, sequenceLength, sequenceInsert, sequenceErase, splitToSequence,
    concatFromSequence, sequenceMap,
  ]

  static let sequenceConstruct = ONNXMapping(["SequenceConstruct"], 11...newest, inputs: 1...Int.max) {
    c throws(Diagnostic) in [try c.sequence(try c.allInputs())]
  }

  /// What is inserted later says which shape the elements have.
  static let sequenceEmpty = ONNXMapping(["SequenceEmpty"], 11...newest, inputs: 0...0, attributes: ["dtype"]) {
    c throws(Diagnostic) in
    [try c.add(SequenceMake(element: .tensor(try c.elementType("dtype") ?? .f32, [])), [])]
  }

  static let sequenceAt = ONNXMapping(["SequenceAt"], 11...newest, inputs: 2...2) { c throws(Diagnostic) in
    let (list, index) = (try c.input(0), try c.input(1))
    if let elements = c.elements(of: list), let place = c.integers(index)?.first {
      return [elements[try c.place(place, below: elements.count)]]
    }
    let shape = try c.openShape(try c.member(of: list))
    return [try c.add(SequenceAt(shape: shape), list, try c.reshape(try c.cast(index, to: .i64), []))]
  }

  static let sequenceLength = ONNXMapping(["SequenceLength"], 11...newest, inputs: 1...1) { c throws(Diagnostic) in
    let list = try c.input(0)
    if let elements = c.elements(of: list) { return [try c.scalar(elements.count)] }
    return [try c.add(SequenceLength(), list)]
  }

  static let sequenceInsert = ONNXMapping(["SequenceInsert"], 11...newest, inputs: 2...3) { c throws(Diagnostic) in
    let (list, value) = (try c.input(0), try c.input(1))
    let place = c.optionalInput(2)
    let known = place.map { c.integers($0)?.first }
    if var elements = c.elements(of: list), known != .some(nil) {
      let place = (known ?? nil) ?? elements.count
      elements.insert(value, at: try c.place(place, below: elements.count + 1, from: elements.count))
      return [try c.sequence(elements)]
    }
    if c.importer.emptyLists.contains(list) {
      // Nothing is in it yet, so that this says what its members are.
      return [try c.add(SequenceMake(element: c.opened(c.fact(value).type)), [value])]
    }
    let type = ValueType.sequence(try c.joined(try c.member(of: list), c.fact(value).type))
    let index = try place.map { value throws(Diagnostic) in try c.reshape(try c.cast(value, to: .i64), []) }
    return [try c.add(SequenceInsert(), try c.widened(list, to: type), value, index)]
  }

  static let sequenceErase = ONNXMapping(["SequenceErase"], 11...newest, inputs: 1...2) { c throws(Diagnostic) in
    let list = try c.input(0)
    let place = c.optionalInput(1)
    let known = place.map { c.integers($0)?.first }
    if var elements = c.elements(of: list), known != .some(nil) {
      let erased = elements.remove(at: try c.place((known ?? nil) ?? -1, below: elements.count))
      if elements.isEmpty { return [try c.add(SequenceMake(element: c.fact(erased).type), [])] }
      return [try c.sequence(elements)]
    }
    let index = try place.map { value throws(Diagnostic) in try c.reshape(try c.cast(value, to: .i64), []) }
    return [try c.add(SequenceErase(), list, index)]
  }
}

extension ONNXNodeContext {
  /// The elements of a list whose making is in sight.
  func elements(of list: ValueID) -> [ValueID]? {
    guard let op = importer.builder.function.definingOp(list) else { return nil }
    let operation = importer.builder.function[op]
    return operation.kind is SequenceMake ? operation.operands.compactMap { $0 } : nil
  }

  /// A list of at least one element; extents in which elements differ are open in its type.
  func sequence(_ elements: [ValueID]) throws(Diagnostic) -> ValueID {
    guard let first = elements.first else { throw .bug("a sequence of nothing has no type") }
    var common = fact(first).type
    for element in elements.dropFirst() where fact(element).type != common {
      common = try joined(common, fact(element).type)
    }
    let isUniform = elements.allSatisfy { fact($0).type == common }
    return try add(SequenceMake(element: isUniform ? nil : common), elements)
  }

  /// A place in a list, checked; a negative one counts from `end`, by default the number of places.
  fileprivate func place(_ place: Int, below count: Int, from end: Int? = nil) throws(Diagnostic) -> Int {
    let end = end ?? count
    guard place >= -end, place < count else { throw .invalid("place \(place) is outside of \(count)") }
    return place < 0 ? place + end : place
  }
}
