import IR
import Support

extension ONNXMapping {
  private static let vectorAttributes = [
    "coefficients", "kernel_params", "kernel_type", "post_transform", "rho", "support_vectors",
  ]

  static let supportVectorRegressor = ONNXMapping(
    ["SVMRegressor"], 1...newest, inputs: 1...1, attributes: vectorAttributes + ["n_supports", "one_class"],
    domain: machineLearningDomain
  ) { c throws(Diagnostic) in
    let x = try c.features()
    let count = try c.int("n_supports", default: 0)
    guard let coefficients = try c.row("coefficients"), let offset = try c.floats("rho")?.first else {
      throw .invalid("coefficients or rho is missing")
    }
    let width = try c.shape(coefficients)[0]
    let weights = try c.reshape(coefficients, [1, width])
    var values = x
    if count > 0 {
      guard width == Dim(count) else { throw .invalid("there are \(width) coefficients for \(count) support vectors") }
      values = try c.similarities(x, count: count)
    }
    let sums = try c.add(MatMul(transposeRHS: true), values, weights)
    var result = try c.binary(.add, sums, try c.scalar(Double(offset), .f32))
    if try c.flag("one_class", default: false) {
      let isInside = try c.compare(.greater, result, try c.scalar(0.0, .f32))
      result = try c.select(isInside, try c.scalar(1.0, .f32), try c.scalar(-1.0, .f32))
    }
    return [try c.transformed(result, try c.string("post_transform", default: "NONE"))]
  }

  /// Every pair of classes has a machine of its own, and the class with most votes wins.
  static let supportVectorClassifier = ONNXMapping(
    ["SVMClassifier"], 1...newest, inputs: 1...1,
    attributes: vectorAttributes + [
      "classlabels_ints", "classlabels_strings", "prob_a", "prob_b", "vectors_per_class",
    ], domain: machineLearningDomain
  ) { c throws(Diagnostic) in
    let labels = try c.classLabels("classlabels_ints")
    let transform = try c.string("post_transform", default: "NONE")
    guard let perClass = try c.ints("vectors_per_class"), !perClass.isEmpty else {
      return try c.linearMachines(labels, transform)
    }
    let machines = try VectorMachines(c, labels: labels.count, perClass: perClass)
    let scores = try machines.scores(c)
    let rows = try c.shape(scores[0])[0]
    let zero = try c.scalar(0.0, .f32)
    // Votes decide; with probabilities, the most probable class does.
    var votes = Array(repeating: try c.broadcast(try c.scalar(0, .i64), [rows, 1]), count: labels.count)
    for (pair, score) in zip(machines.pairs, scores) {
      let isFirst = try c.compare(.greater, score, zero)
      votes[pair.0] = try c.binary(.add, votes[pair.0], try c.cast(isFirst, to: .i64))
      votes[pair.1] = try c.binary(.add, votes[pair.1], try c.cast(try c.unary(.not, isFirst), to: .i64))
    }
    let place = try c.greatest(try c.concat(votes, axis: 1))
    let winners = try c.labels(labels, at: place)
    guard let slopes = try c.floats("prob_a"), !slopes.isEmpty else {
      let all = try c.concat(scores, axis: 1)
      if scores.count > 1 { return [winners, try c.transformed(all, transform)] }
      let both = try c.concat([all, try c.unary(.neg, all)], axis: 1)
      let turned = try c.concat([try c.unary(.neg, all), all], axis: 1)
      return [winners, transform == "NONE" ? both : try c.transformed(turned, transform)]
    }
    let offsets = try c.floats("prob_b") ?? []
    guard slopes.count == scores.count, offsets.count == scores.count else {
      throw .invalid("prob_a and prob_b have \(slopes.count) and \(offsets.count) numbers for \(scores.count) machines")
    }
    var chances: [ValueID] = []
    for (number, score) in scores.enumerated() {
      let line = try c.binary(
        .add, try c.binary(.mul, score, try c.scalar(Double(slopes[number]), .f32)),
        try c.scalar(Double(offsets[number]), .f32))
      let chance = try c.unary(.sigmoid, try c.unary(.neg, line))
      let limited = try c.binary(.maximum, chance, try c.scalar(1e-7, .f32))
      chances.append(try c.binary(.minimum, limited, try c.scalar(1 - 1e-7, .f32)))
    }
    let coupling = PairwiseCoupling(context: c, classes: labels.count, rows: rows)
    let probabilities = try coupling.probabilities(machines.pairs, chances)
    return [winners, try c.transformed(probabilities, transform)]
  }
}

/// The machines of all pairs of classes, which share their support vectors.
private struct VectorMachines {
  let pairs: [(Int, Int)]
  private let weights: Tensor
  private let offsets: Tensor
  private let count: Int

  init(_ c: ONNXNodeContext, labels: Int, perClass: [Int]) throws(Diagnostic) {
    guard perClass.count == labels, labels > 1, perClass.allSatisfy({ $0 >= 0 && $0 < 1 << 30 }) else {
      throw .invalid("vectors_per_class \(perClass) do not fit \(labels) labels")
    }
    count = perClass.reduce(0, +)
    let coefficients = try c.floats("coefficients") ?? []
    let rho = try c.floats("rho") ?? []
    guard coefficients.count == count * (labels - 1), rho.count >= labels * (labels - 1) / 2 else {
      throw .invalid("\(coefficients.count) coefficients and \(rho.count) offsets do not fit \(count) support vectors")
    }
    var starts = [0]
    for size in perClass { starts.append((starts.last ?? 0) + size) }
    var pairs: [(Int, Int)] = []
    var rows: [Double] = []
    for i in 0..<labels {
      for j in (i + 1)..<max(labels, i + 1) {
        var row = Array(repeating: 0.0, count: count)
        for place in starts[i]..<starts[i + 1] { row[place] = Double(coefficients[(j - 1) * count + place]) }
        for place in starts[j]..<starts[j + 1] { row[place] = Double(coefficients[i * count + place]) }
        pairs.append((i, j))
        rows += row
      }
    }
    self.pairs = pairs
    weights = Tensor(.f32, [pairs.count, count], doubles: rows)
    offsets = Tensor(.f32, [pairs.count], doubles: rho.prefix(pairs.count).map { Double($0) })
  }

  /// One column a pair: positive for its first class.
  func scores(_ c: ONNXNodeContext) throws(Diagnostic) -> [ValueID] {
    let similar = try c.similarities(try c.features(), count: count)
    let sums = try c.add(
      MatMul(transposeRHS: true), similar, try c.importer.weight(weights, name: "coefficients"),
      try c.constant(offsets))
    var columns: [ValueID] = []
    for number in pairs.indices { columns.append(try c.slice(sums, axis: 1, start: Dim(number), size: 1)) }
    return columns
  }
}

extension ONNXNodeContext {
  /// How alike each row of `x` and each support vector are, as the kernel says: `[rows, count]`.
  fileprivate func similarities(_ x: ValueID, count: Int) throws(Diagnostic) -> ValueID {
    let numbers = try floats("support_vectors") ?? []
    guard count > 0, !numbers.isEmpty, numbers.count % count == 0 else {
      throw .invalid("support_vectors are missing or do not divide into \(count)")
    }
    let vectors = Tensor(.f32, [count, numbers.count / count], doubles: numbers.map { Double($0) })
    let weight = try importer.weight(vectors, name: "support_vectors")
    let parameters = (try floats("kernel_params") ?? []).map { Double($0) } + [0, 0, 0]
    let (gamma, coefficient, degree) = (parameters[0], parameters[1], parameters[2])
    let kernel = try string("kernel_type", default: "LINEAR")
    if kernel == "RBF" {
      let width = vectors.shape[1]
      let rows = try reshape(x, [try shape(x)[0], 1, try shape(x)[1]])
      let apart = try binary(.sub, rows, try reshape(weight, [1, Dim(count), Dim(width)]))
      let squares = try reduce(.sum, try binary(.mul, apart, apart), axes: [2], keepDims: false)
      return try unary(.exp, try binary(.mul, squares, try scalar(-gamma, .f32)))
    }
    let product = try add(MatMul(transposeRHS: true), x, weight)
    if kernel == "LINEAR" { return product }
    let line = try binary(
      .add, try binary(.mul, product, try scalar(gamma, .f32)), try scalar(coefficient, .f32))
    switch kernel {
    case "POLY": return try binary(.pow, line, try scalar(degree, .f32))
    case "SIGMOID": return try unary(.tanh, line)
    default: throw .invalid("kernel_type is \"\(kernel)\"")
    }
  }

  /// Without support vectors each class has coefficients of its own.
  fileprivate func linearMachines(_ labels: Tensor, _ transform: String) throws(Diagnostic) -> [ValueID] {
    guard let coefficients = try floats("coefficients"), coefficients.count % labels.count == 0,
      let offset = try floats("rho")?.first
    else { throw .invalid("coefficients or rho is missing, or they do not fit \(labels.count) labels") }
    let rows = Tensor(
      .f32, [labels.count, coefficients.count / labels.count], doubles: coefficients.map { Double($0) })
    let sums = try add(MatMul(transposeRHS: true), try features(), try importer.weight(rows, name: "coefficients"))
    let scores = try binary(.add, sums, try scalar(Double(offset), .f32))
    return [try self.labels(labels, at: try greatest(scores)), try transformed(scores, transform)]
  }
}
