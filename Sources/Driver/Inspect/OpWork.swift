import IR

/// Multiply-adds of ops as the graph states them, before anything is chosen.
enum OpWork {
  /// Of one run of the function's ops, regions included once; nil where it overflows any use.
  static func of(_ function: Function) -> Dim {
    var total = Dim(0)
    for id in function.allOps() { total = total + work(function, function[id]) }
    return total
  }

  private static func work(_ function: Function, _ operation: Operation) -> Dim {
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
    return 0
  }
}
