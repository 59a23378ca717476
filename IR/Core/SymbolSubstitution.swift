import Support

/// Replaces symbols by expressions in the attributes of an op.
struct SymbolSubstitution: AttributeVisitor {
  let replacements: [String: Dim]

  mutating func int(_ name: String, _ value: inout Int) {}
  mutating func float(_ name: String, _ value: inout Double) {}
  mutating func bool(_ name: String, _ value: inout Bool) {}
  mutating func string(_ name: String, _ value: inout String) {}
  mutating func ints(_ name: String, _ value: inout [Int]) {}
  mutating func dim(_ name: String, _ value: inout Dim) { value = value.substitute(replacements) }
  mutating func dims(_ name: String, _ value: inout [Dim]) { value = value.map { $0.substitute(replacements) } }
  mutating func strings(_ name: String, _ value: inout [String]) {}
  mutating func element(_ name: String, _ value: inout TensorElement) {}
  mutating func type(_ name: String, _ value: inout ValueType?) { value = value?.substitute(replacements) }
  mutating func tensor(_ name: String, _ value: inout Tensor?) {}
  mutating func reference(_ name: String, _ value: inout String) {}
  mutating func references(_ name: String, _ value: inout [String]) {}
  mutating func choice<Choice: RawRepresentable & CaseIterable & Hashable>(_ name: String, _ value: inout Choice)
  where Choice.RawValue == String {}
}

extension ValueType {
  func substitute(_ replacements: [String: Dim]) -> ValueType {
    switch self {
    case .tensor(let type): .tensor(type.with(shape: type.shape.map { $0.substitute(replacements) }))
    case .sequence(let element): .sequence(element.substitute(replacements))
    case .optional(let element): .optional(element.substitute(replacements))
    case .anyTensor: self
    }
  }
}

extension Function {
  /// Replaces symbols in every type, attribute and guard.
  mutating func substitute(_ replacements: [String: Dim]) throws(Diagnostic) {
    for number in 0..<valueCapacity {
      let id = ValueID(number)
      var fact = self[id].fact
      fact.type = fact.type.substitute(replacements)
      fact.elements = fact.elements?.map { $0.substitute(replacements) }
      setFact(fact, of: id)
    }
    for id in allOps() {
      var kind = self[id].kind
      var visitor = SymbolSubstitution(replacements: replacements)
      try kind.attributes(&visitor)
      setKind(kind, of: id)
      let guards = self[id].guards.map { DimGuard($0.left.substitute(replacements), $0.right.substitute(replacements)) }
      for guardian in guards where guardian.left.equals(guardian.right) == false {
        throw .usage("the shapes given contradict each other: \(guardian.left) is not \(guardian.right)")
      }
      setGuards(guards.filter { $0.left != $0.right }, of: id)
    }
  }
}
