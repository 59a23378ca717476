import Support

/// The determinant of each square matrix of the last two axes.
///
///     %0: f32[8, 3, 3]
///     %1 = determinant %0 : f32[8]
///
/// By elimination with the greatest pivot of each column, in f64, rounded at the end.
public struct Determinant: OpKind {
  public static let mnemonics = ["determinant"]
  public static let operands = [OperandSpec("x", .float)]

  public init(mnemonic: String) {}
  public init() {}

  public func inferTypes(
    _ inputs: [ValueFact], regions: [RegionFact], in context: inout InferenceContext
  ) throws(Diagnostic) -> [ValueFact] {
    let type = try inputs[0].dense("determinant")
    guard type.rank >= 2 else { throw .invalid("determinant: the operand is \(type), expected matrices") }
    let (rows, columns) = (type.shape[type.rank - 2], type.shape[type.rank - 1])
    try context.require(rows, equals: columns, "determinant: the matrices of \(type) are not square")
    return [ValueFact(type.with(shape: Array(type.shape.dropLast(2))))]
  }

  public func evaluate(_ inputs: [Value], _ call: inout EvaluationCall) throws(Diagnostic) -> [Value] {
    let x = try inputs[0].expectTensor()
    guard let element = x.storage, x.shape.count >= 2, let order = x.shape.last, order == x.shape[x.shape.count - 2]
    else { throw .invalid("determinant: the matrices of \(x.type) are not square") }
    let outer = Array(x.shape.dropLast(2))
    let all = x.doubles()
    let size = order * order
    let results = (0..<outer.reduce(1, *)).map { number in
      Determinant.of(Array(all[number * size..<(number + 1) * size]), order: order)
    }
    return [.tensor(Tensor(element, outer, doubles: results))]
  }

  private static func of(_ matrix: [Double], order: Int) -> Double {
    var m = matrix
    var result = 1.0
    for k in 0..<order {
      var pivot = k
      for row in (k + 1)..<max(order, k + 1) where abs(m[row * order + k]) > abs(m[pivot * order + k]) { pivot = row }
      let head = m[pivot * order + k]
      result *= pivot == k ? head : -head
      for column in k..<order { m.swapAt(pivot * order + column, k * order + column) }
      // A column of zeros has nothing to eliminate.
      let divisor = head == 0 ? 1 : head
      for row in (k + 1)..<max(order, k + 1) {
        let factor = m[row * order + k] / divisor
        for column in k..<order { m[row * order + column] -= factor * m[k * order + column] }
      }
    }
    return result
  }
}
