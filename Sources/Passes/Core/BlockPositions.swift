import IR

/// The place of each op in its block, as numbers to compare.
struct BlockPositions {
  private var places: [Int]

  init(_ block: BlockID, _ function: Function) {
    places = Array(repeating: 0, count: function.operationCapacity)
    for (place, op) in function.ops(in: block).enumerated() { places[op.number] = place + 1 }
  }

  /// The places in every block of a function; to be compared within one block only.
  init(everyBlockOf function: Function) {
    places = Array(repeating: 0, count: function.operationCapacity)
    for (place, op) in function.allOps().enumerated() { places[op.number] = place + 1 }
  }

  subscript(op: OpID) -> Int { op.number < places.count ? places[op.number] : 0 }

  /// A new op stands at the place of another.
  mutating func put(_ op: OpID, at other: OpID) {
    let place = self[other]
    if op.number >= places.count {
      places.append(contentsOf: repeatElement(0, count: op.number + 1 - places.count + places.count / 2))
    }
    places[op.number] = place
  }

  /// The op of `block` that is `op` or holds it in a region; nil when it lies outside of the block.
  func enclosing(_ op: OpID, in block: BlockID, _ function: Function) -> OpID? {
    var current = op
    while function[current].block != block {
      guard let owner = function[function[current].block].owner else { return nil }
      current = owner
    }
    return current
  }
}

extension Function {
  /// Everything an op reads, inside its regions too.
  func inputs(of op: OpID) -> [ValueID] {
    var result: [ValueID] = []
    var pending = [op]
    while let next = pending.popLast() {
      for case let operand? in self[next].operands { result.append(operand) }
      for region in self[next].regions {
        result.append(contentsOf: self[region].yields)
        pending.append(contentsOf: ops(in: region))
      }
    }
    return result
  }
}
