import Support

/// What decision trees say of each row: the weights of the leaves that it reaches, summed, or the least or greatest.
///
///     %0: f32[64, 4]
///     %1: i32[3]
///     %2: f32[3]
///     %3: i32[3, 2]
///     %4: i32[2]
///     %5: i32[2]
///     %6: f32[5, 1]
///     %7 = trees %0, %1, %2, %3, %4, %5, %6 {outputs = 2} : f32[64, 2]
///
/// Node `n` goes on at `children[n, 0]` where feature `features[n]` of the row is at most `thresholds[n]`, and at
/// `children[n, 1]` elsewhere, also where it is NaN. A child that is negative is leaf `-1 - child`. Tree `t` begins at
/// `roots[t]`, which may be a leaf, and the weights of its leaves belong to the outputs from `targets[t]` on. Children
/// stand behind their nodes, so that every walk ends. An output that no tree has is zero, or plus or minus infinity.
public struct TreeEnsemble: OpKind {
  public enum Function: String, CaseIterable, Sendable { case sum, min, max }

  public static let mnemonics = ["trees"]
  public static let operands = [
    OperandSpec("x", .float), OperandSpec("features", .integer), OperandSpec("thresholds", .float),
    OperandSpec("children", .integer), OperandSpec("roots", .integer), OperandSpec("targets", .integer),
    OperandSpec("weights", .float),
  ]

  public var outputs = 1
  public var function = Function.sum

  public init(mnemonic: String) {}
  public init(_ function: Function, outputs: Int) {
    self.function = function
    self.outputs = outputs
  }

  public mutating func attributes(_ visitor: inout some AttributeVisitor) throws(Diagnostic) {
    try visitor.int("outputs", &outputs)
    try visitor.choice("function", &function)
  }

  public func inferTypes(
    _ inputs: [ValueFact], regions: [RegionFact], in context: inout InferenceContext
  ) throws(Diagnostic) -> [ValueFact] {
    var types: [TensorType] = []
    for input in inputs { types.append(try input.dense("trees")) }
    let (x, thresholds, weights) = (types[0], types[2], types[6])
    guard x.rank == 2, let element = x.plain, element == .f32 || element == .f64, thresholds.plain == element,
      weights.rank == 2, weights.plain == element
    else { throw .invalid("trees: x \(x), thresholds \(thresholds) and weights \(weights) do not go together") }
    for (number, rank) in [(1, 1), (2, 1), (3, 2), (4, 1), (5, 1)] where types[number].rank != rank {
      throw .invalid("trees: operand \(number) is \(types[number]), expected \(rank) axes")
    }
    for number in [1, 3, 4, 5] where types[number].plain != .i32 {
      throw .invalid("trees: operand \(number) is \(types[number]), expected i32")
    }
    try context.require(types[1].shape[0], equals: thresholds.shape[0], "trees: features and thresholds differ")
    try context.require(types[3].shape[0], equals: thresholds.shape[0], "trees: children and thresholds differ")
    try context.require(types[3].shape[1], equals: 2, "trees: a node does not have two children")
    try context.require(types[4].shape[0], equals: types[5].shape[0], "trees: roots and targets differ")
    guard let width = weights.shape[1].constant, outputs > 0, width > 0, width <= outputs else {
      throw .invalid("trees: \(weights) do not fit \(outputs) outputs")
    }
    return [ValueFact(element, [x.shape[0], Dim(outputs)])]
  }

  public func evaluate(_ inputs: [Value], _ call: inout EvaluationCall) throws(Diagnostic) -> [Value] {
    let tables = try TreeEnsembleTables(inputs, outputs: outputs)
    let x = try inputs[0].expectTensor()
    try checkAllocatable([x.shape[0], outputs], "trees")
    let (values, columns) = (x.doubles(), x.shape[1])
    var result: [Double] = []
    for row in 0..<x.shape[0] {
      var sums = [Double](repeating: neutral, count: outputs)
      for (root, target) in zip(tables.roots, tables.targets) {
        let leaf = try tables.leaf(from: root) { feature throws(Diagnostic) in
          guard feature < columns else {
            throw .invalid("trees: feature \(feature) is not among \(columns)")
          }
          return values[row * columns + feature]
        }
        for place in 0..<tables.width {
          let weight = tables.weights[leaf * tables.width + place]
          sums[target + place] = joined(sums[target + place], weight)
        }
      }
      result += sums
    }
    return [.tensor(Tensor(x.storage ?? .f32, [x.shape[0], outputs], doubles: result))]
  }

  private var neutral: Double {
    switch function {
    case .sum: 0
    case .min: .infinity
    case .max: -.infinity
    }
  }

  private func joined(_ a: Double, _ b: Double) -> Double {
    switch function {
    case .sum: a + b
    case .min: Swift.min(a, b)
    case .max: Swift.max(a, b)
    }
  }
}
