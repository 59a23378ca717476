import IR
import Support

// A sum over products of operands, as diagonals, sums, matrix products of two operands at a time, and a transposition.

extension ONNXMapping {
  static let einsum = ONNXMapping(["Einsum"], 12...newest, inputs: 1...Int.max, attributes: ["equation"]) {
    c throws(Diagnostic) in
    let values = try c.allInputs()
    let ranks = try values.map { value throws(Diagnostic) in try c.rank(value) }
    let equation = try EinsumEquation(try c.string("equation", default: ""), ranks: ranks)
    var operands: [EinsumOperand] = []
    for (value, labels) in zip(values, equation.operands) {
      operands.append(try c.withoutRepetition(EinsumOperand(value: value, labels: labels)))
    }
    for number in operands.indices {
      let others = operands.indices.filter { $0 != number }.flatMap { operands[$0].labels }
      operands[number] = try c.summed(operands[number], except: Set(others + equation.result))
    }
    while operands.count > 1 {
      let (left, right) = try c.cheapestPair(operands, equation.result)
      let others = operands.indices.filter { $0 != left && $0 != right }.flatMap { operands[$0].labels }
      let product = try c.contracted(operands[left], operands[right], keeping: Set(others + equation.result))
      operands.remove(at: right)
      operands[left] = product
    }
    let last = operands[0]
    return [try c.transpose(last.value, equation.result.compactMap { last.labels.firstIndex(of: $0) })]
  }
}

/// A tensor whose axes have names.
private struct EinsumOperand {
  var value: ValueID
  var labels: [EinsumLabel]
}

extension ONNXNodeContext {
  /// The diagonal of axes that have the same name.
  fileprivate func withoutRepetition(_ operand: EinsumOperand) throws(Diagnostic) -> EinsumOperand {
    var operand = operand
    while let second = operand.labels.indices.first(where: { operand.labels[..<$0].contains(operand.labels[$0]) }),
      let first = operand.labels.firstIndex(of: operand.labels[second])
    {
      let shape = try shape(operand.value)
      let row = try reshape(try iota(shape[first]), shape.indices.map { $0 == first ? shape[first] : 1 })
      let column = try reshape(try iota(shape[second]), shape.indices.map { $0 == second ? shape[second] : 1 })
      let isDiagonal = try compare(.equal, row, column)
      // Extents must agree even where the comparison would broadcast.
      var stretched = shape
      stretched[second] = shape[first]
      let x = try broadcast(operand.value, stretched)
      let chosen = try select(isDiagonal, x, try number(0, like: x))
      operand.value = try reduce(.sum, chosen, axes: [second], keepDims: false)
      operand.labels.remove(at: second)
    }
    return operand
  }

  /// Sums over the axes that nothing else needs.
  fileprivate func summed(_ operand: EinsumOperand, except kept: Set<EinsumLabel>) throws(Diagnostic) -> EinsumOperand {
    let axes = operand.labels.indices.filter { !kept.contains(operand.labels[$0]) }
    let value = try reduce(.sum, operand.value, axes: axes, keepDims: false)
    return EinsumOperand(value: value, labels: operand.labels.filter(kept.contains))
  }

  /// The two operands whose product is smallest.
  fileprivate func cheapestPair(
    _ operands: [EinsumOperand], _ result: [EinsumLabel]
  ) throws(Diagnostic) -> (Int, Int) {
    // Trying all pairs of many would take too long.
    if operands.count == 2 || operands.count > 32 { return (0, 1) }
    var best = (0, 1)
    var least = Double.infinity
    for left in operands.indices {
      for right in operands.indices where right > left {
        let others = operands.indices.filter { $0 != left && $0 != right }.flatMap { operands[$0].labels }
        let kept = Set(others + result)
        var sizes: [EinsumLabel: Double] = [:]
        for operand in [operands[left], operands[right]] {
          for (label, extent) in zip(operand.labels, try shape(operand.value)) where kept.contains(label) {
            sizes[label] = max(sizes[label] ?? 1, Double(extent.bounds(symbols).upperBound))
          }
        }
        let size = sizes.values.reduce(1, *)
        if size < least { (best, least) = ((left, right), size) }
      }
    }
    return best
  }

  /// The product of two operands, summed over the common axes that are not kept.
  fileprivate func contracted(
    _ a: EinsumOperand, _ b: EinsumOperand, keeping kept: Set<EinsumLabel>
  ) throws(Diagnostic) -> EinsumOperand {
    let (a, b) = try withoutStretchedSums(a, b, kept)
    let common = a.labels.filter(b.labels.contains)
    let batch = common.filter(kept.contains)
    let sums = common.filter { !kept.contains($0) }
    let rows = a.labels.filter { !common.contains($0) }
    let columns = b.labels.filter { !common.contains($0) }
    let left = try arranged(a, batch + rows + sums)
    let right = try arranged(b, batch + sums + columns)
    let (leftShape, rightShape) = (try shape(left), try shape(right))
    func count(_ dims: some Sequence<Dim>) -> Dim { dims.reduce(Dim(1), *) }
    let n = batch.count
    let rowExtents = Array(leftShape[n..<(n + rows.count)])
    let columnExtents = Array(rightShape[(n + sums.count)...])
    let product: ValueID
    if sums.isEmpty {
      let wide = try reshape(left, leftShape + columns.map { _ in 1 })
      let tall = try reshape(right, rightShape[..<n] + rows.map { _ in 1 } + columnExtents)
      product = try binary(.mul, wide, tall)
    } else {
      let x = try reshape(left, leftShape[..<n] + [count(rowExtents), count(leftShape[(n + rows.count)...])])
      let y = try reshape(
        right, rightShape[..<n] + [count(rightShape[n..<(n + sums.count)]), count(columnExtents)])
      let matrix = try numberProduct(x, y)
      product = try reshape(matrix, try shape(matrix)[..<n] + rowExtents + columnExtents)
    }
    return EinsumOperand(value: product, labels: batch + rows + columns)
  }

  /// Where one operand has a single element along an axis that is summed, the other is summed on its own.
  private func withoutStretchedSums(
    _ a: EinsumOperand, _ b: EinsumOperand, _ kept: Set<EinsumLabel>
  ) throws(Diagnostic) -> (EinsumOperand, EinsumOperand) {
    let (m, n) = (try shape(a.value), try shape(b.value))
    var stretched: Set<EinsumLabel> = []
    for (label, extent) in zip(a.labels, m) where !kept.contains(label) {
      guard let other = b.labels.firstIndex(of: label) else { continue }
      if (extent.constant == 1) != (n[other].constant == 1) { stretched.insert(label) }
    }
    if stretched.isEmpty { return (a, b) }
    return (
      try summed(a, except: Set(a.labels).subtracting(stretched)),
      try summed(b, except: Set(b.labels).subtracting(stretched))
    )
  }

  private func arranged(_ operand: EinsumOperand, _ labels: [EinsumLabel]) throws(Diagnostic) -> ValueID {
    try transpose(operand.value, labels.compactMap { operand.labels.firstIndex(of: $0) })
  }
}
