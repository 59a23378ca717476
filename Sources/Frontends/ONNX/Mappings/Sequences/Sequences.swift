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
    guard c.elements(of: list)?.allSatisfy({ .sequence(c.fact($0).type) == c.fact(list).type }) ?? true else {
      throw .unsupported("an index that is computed is not supported where elements differ in shape")
    }
    return [try c.add(SequenceAt(), list, try c.reshape(index, []))]
  }

  static let sequenceLength = ONNXMapping(["SequenceLength"], 11...newest, inputs: 1...1) { c throws(Diagnostic) in
    let list = try c.input(0)
    if let elements = c.elements(of: list) { return [try c.scalar(elements.count)] }
    return [try c.add(SequenceLength(), list)]
  }

  static let sequenceInsert = ONNXMapping(["SequenceInsert"], 11...newest, inputs: 2...3) { c throws(Diagnostic) in
    var elements = try c.knownElements(0)
    let place = try c.constantIntegers(2, "the position")?.first ?? elements.count
    elements.insert(try c.input(1), at: try c.place(place, below: elements.count + 1, from: elements.count))
    return [try c.sequence(elements)]
  }

  static let sequenceErase = ONNXMapping(["SequenceErase"], 11...newest, inputs: 1...2) { c throws(Diagnostic) in
    var elements = try c.knownElements(0)
    let place = try c.constantIntegers(1, "the position")?.first ?? -1
    let erased = elements.remove(at: try c.place(place, below: elements.count))
    if elements.isEmpty { return [try c.add(SequenceMake(element: c.fact(erased).type), [])] }
    return [try c.sequence(elements)]
  }
}

extension ONNXNodeContext {
  /// The elements of a list whose making is in sight.
  func elements(of list: ValueID) -> [ValueID]? {
    guard let op = importer.builder.function.definingOp(list) else { return nil }
    let operation = importer.builder.function[op]
    return operation.kind is SequenceMake ? operation.operands.compactMap { $0 } : nil
  }

  /// The elements of an input that must be such a list.
  func knownElements(_ number: Int) throws(Diagnostic) -> [ValueID] {
    guard let elements = elements(of: try input(number)) else {
      throw .unsupported("a sequence whose number of elements only the run tells is not supported")
    }
    return elements
  }

  /// A list of at least one element; extents in which elements differ get symbols in its type.
  func sequence(_ elements: [ValueID]) throws(Diagnostic) -> ValueID {
    guard let first = elements.first else { throw .bug("a sequence of nothing has no type") }
    var common = fact(first).type
    for element in elements.dropFirst() where fact(element).type != common {
      let type = fact(element).type
      guard let a = common.tensor, let b = type.tensor, a.element == b.element, a.rank == b.rank else {
        throw .unsupported("a sequence of \(common) and \(type) is not supported: only extents may differ")
      }
      common = .tensor(a.with(shape: zip(a.shape, b.shape).map { $0 == $1 ? $0 : freshSymbol("element") }))
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
