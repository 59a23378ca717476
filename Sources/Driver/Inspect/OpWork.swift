import IR

/// Multiply-adds of ops as the graph states them, before anything is chosen.
enum OpWork {
  /// Of one run of the function's ops, regions included once; nil where it overflows any use.
  static func of(_ function: Function) -> Dim {
    var total = Dim(0)
    for id in function.allOps() { total = total + work(function, function[id]) }
    return total
  }

  /// What an op reads and writes: its operands and results, each once.
  static func bytes(_ function: Function, _ operation: Operation) -> Dim {
    let values = Set(operation.operands.compactMap { $0 }).union(operation.results)
    return values.sorted().reduce(Dim(0)) { sum, value in
      guard let type = function.tensorType(value) else { return sum }
      if let bytes = type.constantBytes { return sum + bytes }
      guard let storage = type.element.storage else { return sum }
      return sum + (type.elementCount * storage.bits).ceilDivided(by: 8)
    }
  }

  static func work(_ function: Function, _ operation: Operation) -> Dim {
    guard let result = operation.results.first.flatMap({ function.tensorType($0) }) else { return 0 }
    func shape(_ number: Int) -> [Dim]? {
      guard operation.operands.indices.contains(number) else { return nil }
      return operation.operands[number].flatMap { function.tensorType($0) }?.shape
    }
    if let matmul = operation.kind as? MatMul, let a = shape(0), a.count >= 2 {
      return result.elementCount * a[matmul.transposeLHS ? a.count - 2 : a.count - 1]
    }
    if let conv = operation.kind as? Conv, let filters = shape(1), !filters.isEmpty {
      // Either [O, kernel..., C / groups] or, with `kernel` given, the matrix [kernel * C / groups, O].
      let window = conv.kernel.isEmpty ? Array(filters.dropFirst()) : [filters[0]]
      return result.elementCount * window.reduce(Dim(1), *)
    }
    if operation.kind is ConvTranspose, let x = shape(0), let filters = shape(1), !filters.isEmpty {
      return x.reduce(Dim(1), *) * filters.dropFirst().reduce(Dim(1), *)
    }
    if let attention = operation.kind as? Attention, let q = shape(0), let k = shape(1), k.count == 4 {
      return (q.reduce(Dim(1), *) + result.elementCount) * k[attention.sequenceFirst ? 1 : 2]
    }
    if operation.kind is any RecurrentKind, let x = shape(0), let w = shape(1), let r = shape(2), x.count == 3 {
      return x[0] * x[1] * (w.reduce(Dim(1), *) + r.reduce(Dim(1), *))
    }
    return 0
  }
}
