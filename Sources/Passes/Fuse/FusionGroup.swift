import IR
import Support

/// Ops that become one `fusion`: closed under use but for one value that leaves.
struct FusionGroup {
  var role: Fusion.Role
  /// In program order.
  var ops: [OpID]
  /// The value that leaves.
  var output: ValueID
}

extension PassContext {
  /// Moves the ops of a group into the region of a new `fusion`, placed where the last of them was.
  ///
  /// Scalar constants come along as copies: a kernel wants to know them. Everything else from outside is an operand.
  mutating func enclose(_ group: FusionGroup, after last: OpID) throws(Diagnostic) -> OpID {
    let inside = Set(group.ops)
    var inputs: [ValueID] = []
    var scalars: [ValueID] = []
    var seen: Set<ValueID> = []
    var locations: [String] = []
    var known: Set<String> = []
    for op in group.ops {
      for location in function[op].locations where known.insert(location).inserted { locations.append(location) }
      for case let operand? in function[op].operands {
        if let definition = function.definingOp(operand), inside.contains(definition) { continue }
        guard seen.insert(operand).inserted else { continue }
        if isScalarConstant(operand) { scalars.append(operand) } else { inputs.append(operand) }
      }
    }
    // The last op moves into the region, so the place is kept by what follows it.
    let place = function[last].next.map { Function.Position.before($0) } ?? .end(function[last].block)
    let (block, arguments) = addBlock(arguments: inputs.map { ValueFact(function.type($0)) })
    var renamed: [ValueID: ValueID] = [:]
    for (input, argument) in zip(inputs, arguments) { renamed[input] = argument }
    for scalar in scalars {
      guard let tensor = constant(scalar) else { continue }
      renamed[scalar] = try insert(Constant(tensor), [], locations: [], at: .end(block))[0]
    }
    for op in group.ops {
      move(op, to: .end(block))
      let operands = function[op].operands.map { operand in operand.map { renamed[$0] ?? $0 } }
      try setOperands(operands, of: op)
    }
    setYields([group.output], of: block)
    let result = try insert(
      Fusion(group.role), inputs, regions: [block], locations: locations, at: place)
    try redirect(group.output, to: result[0], except: block)
    guard let fusion = function.definingOp(result[0]) else { throw .bug("\(pass) made a fusion without a result") }
    return fusion
  }

  func isScalarConstant(_ value: ValueID) -> Bool {
    guard let op = function.definingOp(value), let tensor = (function[op].kind as? Constant)?.value else {
      return false
    }
    return tensor.count == 1 && tensor.storage != .string
  }
}
