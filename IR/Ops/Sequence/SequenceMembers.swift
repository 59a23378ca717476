import Support

// What the ops on sequences and optional values share: the types of members, and places in lists.

extension ValueFact {
  /// What the members of a sequence are.
  func members(_ op: String) throws(Diagnostic) -> ValueType {
    guard case .sequence(let member) = type else {
      throw .invalid("\(op): the operand is \(type), expected a sequence")
    }
    return member
  }

  /// Checks that an operand is one integer.
  func requireIndex(_ op: String) throws(Diagnostic) {
    guard type == .tensor(.i64, []) else { throw .invalid("\(op): the index is \(type), expected i64[]") }
  }
}

extension Value {
  func members(_ op: String) throws(Diagnostic) -> [Value] {
    guard case .sequence(let members) = self else { throw .bug("\(op): the operand is no sequence") }
    return members
  }
}

/// The type of a member that is taken out: `shape` says the extents where the type of members leaves them open.
func takenOut(_ member: ValueType, _ shape: [Dim], _ op: String) throws(Diagnostic) -> ValueType {
  switch member {
  case .anyTensor(let element):
    try checkExtents(shape, op)
    return .tensor(element, shape)
  case .tensor(let type):
    if shape.isEmpty { return member }
    let taken = type.with(shape: shape)
    guard member.admits(.tensor(taken)) else { throw .invalid("\(op): a member of type \(member) cannot be \(taken)") }
    return .tensor(taken)
  case .sequence, .optional:
    guard shape.isEmpty else { throw .invalid("\(op): a member of type \(member) has no shape") }
    return member
  }
}

/// A place among `count`, of which a negative one counts from the end.
func place(_ index: Int, in count: Int, end: Int, _ op: String) throws(Diagnostic) -> Int {
  guard index >= -count, index < end else {
    throw .invalid("\(op): index \(index) out of range for extent \(count)")
  }
  return index < 0 ? index + count : index
}
