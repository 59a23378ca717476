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
    let types = carried.map { ValueFact(c.fact($0).type) }
    let names: [String?] = body.inputs.map(\.name)
    let block = try c.importer.region([ValueFact(.i64, []), ValueFact(.bool, [])] + types, names: names) {
      arguments throws(Diagnostic) in
      var values = arguments
      // Some bodies declare the counter or the condition as a list of one.
      for number in 0..<2 where body.inputs[number].type?.tensor?.shape?.dimensions.count == 1 {
        values[number] = try c.reshape(values[number], [1])
      }
      var yields = try c.importer.importSubgraph(body, values)
      yields[0] = try c.reshape(yields[0], [])
      for (number, type) in types.enumerated() {
        yields[1 + number] = try c.kept(yields[1 + number], as: type)
      }
      for (number, type) in types.enumerated() where c.fact(yields[1 + number]).type != type.type {
        throw .unsupported(
          "carried value \"\(body.inputs[2 + number].name)\" is \(type.type) at first and "
            + "\(c.fact(yields[1 + number]).type) later; it must keep its type")
      }
      return yields
    }
    let hasScans = body.outputs.count > 1 + carried.count
    let extent = hasScans ? c.iterations(trip, condition, block) : 0
    return try c.importer.builder.add(Loop(extent: extent), [trip, condition] + carried, regions: [block])
  }
}

extension ONNXNodeContext {
  /// A carried value as it was at first, where its extents may be the same: the run checks that they are.
  func kept(_ value: ValueID, as first: ValueFact) throws(Diagnostic) -> ValueID {
    guard let old = first.type.tensor, let new = fact(value).type.tensor, old != new, old.element == new.element,
      old.layout == nil, old.rank == new.rank,
      case let changed = zip(old.shape, new.shape).filter({ $0 != $1 }), changed.count == 1,
      changed[0].0.equals(changed[0].1, symbols) == nil
    else { return value }
    return try add(Reshape(shape: old.shape), value)
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
