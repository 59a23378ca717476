import Formats
import IR
import Support

extension ONNXMapping {
  static let controls: [ONNXMapping] = [conditional, loop, scan, batchedScan]

  /// `If`: a condition that follows from shapes picks its branch here; the other one is not even typed.
  static let conditional = ONNXMapping(
    ["If"], 1...newest, inputs: 1...1, attributes: ["else_branch", "then_branch"]
  ) { c throws(Diagnostic) in
    let condition = try c.reshape(try c.input(0), [])
    let (then, other) = (try c.graph("then_branch"), try c.graph("else_branch"))
    if let known = c.integers(condition)?.first {
      return try c.importer.importSubgraph(known != 0 ? then : other, [])
    }
    let mark = c.importer.mark()
    var blocks: [BlockID] = []
    var failure: (reason: Diagnostic, isOfThen: Bool)?
    for (graph, isThen) in [(then, true), (other, false)] {
      do throws(Diagnostic) {
        blocks.append(try c.importer.region([]) { _ throws(Diagnostic) in try c.importer.importSubgraph(graph, []) })
      } catch {
        guard failure == nil, error.kind == .invalid, let mark else { throw failure?.reason ?? error }
        failure = (error, isThen)
        // With whatever the attempt left behind.
        c.importer.restore(mark)
      }
    }
    if let failure, let mark {
      c.importer.restore(mark)
      return try c.onlyBranch(failure.isOfThen ? other : then, isThen: !failure.isOfThen, condition, failure.reason)
    }
    try c.unify(blocks[0], blocks[1])
    return try c.importer.builder.add(If(), [condition], regions: blocks)
  }
}

extension ONNXNodeContext {
  /// The branch that can be run, in place of the op. The other one's ops do not fit the shapes that reach them: who
  /// asks for it gets a status.
  func onlyBranch(
    _ graph: ONNXGraph, isThen: Bool, _ condition: ValueID, _ reason: Diagnostic
  ) throws(Diagnostic) -> [ValueID] {
    importer.notes.append(
      "of \(ONNXOrder.label(node)) only the \(isThen ? "then" : "else") branch can run, for in the other one: "
        + reason.message)
    let chosen = try extent(of: condition, "branch", in: 0...1)
    let guardian = DimGuard(chosen, isThen ? 1 : 0)
    return try importer.importSubgraph(graph, []).map { value throws(Diagnostic) in
      guard fact(value).type.tensor != nil else { throw reason }
      // What carries the check must be needed, or it would be dropped.
      let shape = try shape(value)
      var context = importer.builder.module.inferenceContext
      let facts = try importer.builder.function.inferResults(of: Reshape(shape: shape), [value], in: &context)
      let id = importer.builder.function.insert(
        Reshape(shape: shape), [value], results: facts, locations: importer.builder.locations, guards: [guardian],
        at: importer.builder.position)
      return importer.builder.function[id].results[0]
    }
  }

  /// Makes both branches yield the same types: extents in which they differ get a symbol, which each branch binds.
  func unify(_ a: BlockID, _ b: BlockID) throws(Diagnostic) {
    var left = importer.builder.function[a].yields
    var right = importer.builder.function[b].yields
    guard left.count == right.count else {
      throw .invalid("the branches give \(left.count) and \(right.count) results")
    }
    for number in left.indices {
      if isSingle(left[number]), isSingle(right[number]), try rank(left[number]) != rank(right[number]) {
        // A number and a list of one: either may be meant, and both broadcast alike.
        let rank = max(try rank(left[number]), try rank(right[number]))
        let dims = [Dim](repeating: 1, count: rank)
        left[number] = try append(Reshape(shape: dims), [left[number]], to: a)
        right[number] = try append(Reshape(shape: dims), [right[number]], to: b)
      }
      let (first, second) = (fact(left[number]).type, fact(right[number]).type)
      if first == second { continue }
      if first.member != nil || second.member != nil {
        guard let type = importer.joined(first, second) else {
          throw .unsupported("the branches give \(first) and \(second)")
        }
        left[number] = try widened(left[number], to: type, in: a)
        right[number] = try widened(right[number], to: type, in: b)
        continue
      }
      guard let x = first.tensor, let y = second.tensor, x.element == y.element, x.rank == y.rank else {
        throw .unsupported("the branches give \(first) and \(second); their types must agree but for extents")
      }
      let dims = zip(x.shape, y.shape).map { $0 == $1 ? $0 : freshSymbol("branch") }
      left[number] = try renamed(left[number], dims, in: a)
      right[number] = try renamed(right[number], dims, in: b)
    }
    importer.builder.function.setYields(left, of: a)
    importer.builder.function.setYields(right, of: b)
  }

  private func isSingle(_ value: ValueID) -> Bool {
    fact(value).type.tensor?.shape.allSatisfy { $0 == 1 } ?? false
  }

  /// The same list or optional value at the end of `block`, under a wider type.
  private func widened(_ value: ValueID, to type: ValueType, in block: BlockID) throws(Diagnostic) -> ValueID {
    let own = fact(value).type
    if own == type { return value }
    if case .optional(let member) = type, own.optionalMember == nil {
      let inner = own == member || member.member == nil ? value : try append(Widen(to: member), [value], to: block)
      return try append(OptionalMake(element: member), [inner], to: block)
    }
    return try append(Widen(to: type), [value], to: block)
  }

  /// The same value at the end of `block`, its extents bound to the symbols in `dims`.
  private func renamed(_ value: ValueID, _ dims: [Dim], in block: BlockID) throws(Diagnostic) -> ValueID {
    for (dim, extent) in zip(dims, try shape(value)) where dim != extent {
      guard let symbol = dim.symbolName else { throw .bug("\(dim) is no symbol") }
      _ = try append(Extent(symbol: symbol), [try append(DimValue(extent), [], to: block)], to: block)
    }
    return try append(Reshape(shape: dims), [value], to: block)
  }

  private func append(_ kind: any OpKind, _ operands: [ValueID?], to block: BlockID) throws(Diagnostic) -> ValueID {
    var context = importer.builder.module.inferenceContext
    let facts = try importer.builder.function.inferResults(of: kind, operands, in: &context)
    let id = importer.builder.function.insert(
      kind, operands, results: facts, locations: importer.builder.locations, guards: context.guards, at: .end(block))
    return importer.builder.function[id].results[0]
  }
}
