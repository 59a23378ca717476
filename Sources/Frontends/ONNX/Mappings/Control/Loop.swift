import Formats
import IR
import Support

extension ONNXMapping {
  static let loop = ONNXMapping(["Loop"], 1...newest, inputs: 2...Int.max, attributes: ["body"]) {
    c throws(Diagnostic) in
    let body = try c.graph("body")
    let trip = try c.optionalInput(0).map { value throws(Diagnostic) in
      try c.reshape(try c.cast(value, to: .i64), [])
    }
    let condition = try c.optionalInput(1).map { value throws(Diagnostic) in try c.reshape(value, []) }
    var carried: [ValueID] = []
    for number in c.operands.indices.dropFirst(2) { carried.append(try c.input(number)) }
    guard body.inputs.count == 2 + carried.count, body.outputs.count > carried.count else {
      throw .invalid(
        "the body has \(body.inputs.count) inputs and \(body.outputs.count) outputs for \(carried.count) carried values"
      )
    }
    carried = try c.settled(carried, body)
    let types = carried.map { ValueFact(c.fact($0).type) }
    let block = try c.region(of: body, types) { yields throws(Diagnostic) in
      for (number, type) in types.enumerated() where c.fact(yields[1 + number]).type != type.type {
        if type.type.member != nil {
          yields[1 + number] = try c.widened(yields[1 + number], to: type.type)
          continue
        }
        guard let kept = try c.restored(yields[1 + number], to: type.type) else {
          throw .unsupported(
            "carried value \"\(body.inputs[2 + number].name)\" is \(type.type) at first and "
              + "\(c.fact(yields[1 + number]).type) later; it must keep its type")
        }
        yields[1 + number] = kept
      }
      for number in yields.indices.dropFirst(1 + types.count) {
        yields[number] = try c.asDeclared(yields[number], body.outputs[number].type)
      }
    }
    let hasScans = body.outputs.count > 1 + carried.count
    let extent = hasScans ? c.iterations(trip, condition, block) : 0
    return try c.importer.builder.add(Loop(extent: extent), [trip, condition] + carried, regions: [block])
  }
}

extension ONNXNodeContext {
  /// The body as a region; `finish` may change what it yields.
  fileprivate func region(
    of body: ONNXGraph, _ types: [ValueFact], _ untyped: Set<Int> = [],
    _ finish: (inout [ValueID]) throws(Diagnostic) -> Void
  ) throws(Diagnostic) -> BlockID {
    let names: [String?] = body.inputs.map(\.name)
    return try importer.region([ValueFact(.i64, []), ValueFact(.bool, [])] + types, names: names) {
      arguments throws(Diagnostic) in
      var values = arguments
      // Some bodies declare the counter or the condition as a list of one.
      for number in 0..<2 where body.inputs[number].type?.tensor?.shape?.dimensions.count == 1 {
        values[number] = try reshape(values[number], [1])
      }
      for number in untyped { importer.emptyLists.insert(values[2 + number]) }
      var yields = try importer.importSubgraph(body, values)
      yields[0] = try reshape(yields[0], [])
      try finish(&yields)
      return yields
    }
  }

  /// Carried values, lists among them under types that they keep. What a body makes of a list is seen by importing it
  /// for nothing; a type gets wider a few times at most.
  fileprivate func settled(_ carried: [ValueID], _ body: ONNXGraph) throws(Diagnostic) -> [ValueID] {
    var carried = carried
    guard carried.contains(where: { fact($0).type.member != nil }) else { return carried }
    // Lists of nothing take any members: the first ones say which.
    var untyped = Set(carried.indices.filter { elements(of: carried[$0])?.isEmpty ?? false })
    for _ in 0..<4 {
      let types = carried.map { ValueFact(fact($0).type) }
      var later: [ValueType] = []
      try importer.onTrial { () throws(Diagnostic) in
        _ = try region(of: body, types, untyped) { yields throws(Diagnostic) in
          later = types.indices.map { fact(yields[1 + $0]).type }
        }
      }
      var changed = false
      for (number, type) in types.map(\.type).enumerated() where type.member != nil && later[number] != type {
        changed = true
        if untyped.remove(number) != nil, case .sequence(let member) = later[number] {
          carried[number] = try add(SequenceMake(element: opened(member)), [])
        } else if let common = importer.joined(opened(type), opened(later[number])) {
          carried[number] = try widened(carried[number], to: common)
        } else {
          throw .unsupported(
            "carried value \"\(body.inputs[2 + number].name)\" is \(type) at first and \(later[number]) later")
        }
      }
      if !changed { return carried }
    }
    throw .unsupported("the types of what the loop carries do not settle")
  }

  /// The value with the extents of `type`, which the run checks where they cannot be proved; nil where it cannot have
  /// them.
  func restored(_ value: ValueID, to type: ValueType) throws(Diagnostic) -> ValueID? {
    guard let own = fact(value).type.tensor, let wanted = type.tensor, own.element == wanted.element,
      own.rank == wanted.rank, zip(own.shape, wanted.shape).allSatisfy({ $0.equals($1, symbols) != false })
    else { return nil }
    // Axis by axis, for a product of extents would say less.
    var result = value
    for axis in own.shape.indices where own.shape[axis] != wanted.shape[axis] {
      var dims = try shape(result)
      dims[axis] = wanted.shape[axis]
      result = try reshape(result, dims)
    }
    return result
  }

  /// A value that iterations stack with the extents that the body declares, where it knows no better: what an iteration
  /// alone can tell is no extent of the whole.
  fileprivate func asDeclared(_ value: ValueID, _ type: ONNXType?) throws(Diagnostic) -> ValueID {
    guard let own = fact(value).type.tensor, let declared = type?.tensor?.shape?.dimensions, declared.count == own.rank
    else { return value }
    let dims = zip(own.shape, declared).map { dim, declared -> Dim in
      guard dim.constant == nil, let extent = declared.value, extent >= 0 else { return dim }
      return Dim(extent)
    }
    return try restored(value, to: .tensor(own.with(shape: dims))) ?? value
  }

  /// The number of iterations as an expression when nothing but the trip count ends the loop.
  fileprivate func iterations(_ trip: ValueID?, _ condition: ValueID?, _ block: BlockID) -> Dim {
    let body = importer.builder.function[block]
    let next = body.yields[0]
    let continues = next == body.arguments[1] || integers(next)?.first == 1
    let starts = condition.map { integers($0)?.first == 1 } ?? true
    if continues, starts, let trip, let count = dims(trip)?.first { return maximum(count, 0) }
    return freshSymbol("iterations")
  }
}
