import IR
import Support

extension ONNXMapping {
  static let linearRegressor = ONNXMapping(
    ["LinearRegressor"], 1...newest, inputs: 1...1,
    attributes: ["coefficients", "intercepts", "post_transform", "targets"], domain: machineLearningDomain
  ) { c throws(Diagnostic) in
    let scores = try c.linearScores(count: try c.int("targets", default: 1))
    return [try c.transformed(scores, try c.string("post_transform", default: "NONE"))]
  }

  /// Scores and the label of the best; one row of coefficients decides between two labels by its sign.
  static let linearClassifier = ONNXMapping(
    ["LinearClassifier"], 1...newest, inputs: 1...1,
    attributes: [
      "classlabels_ints", "classlabels_strings", "coefficients", "intercepts", "multi_class", "post_transform",
    ], domain: machineLearningDomain
  ) { c throws(Diagnostic) in
    let labels = try c.classLabels("classlabels_ints")
    let transform = try c.string("post_transform", default: "NONE")
    let intercepts = try c.floats("intercepts")?.count ?? 0
    let count = intercepts > 0 ? intercepts : labels.count
    let scores = try c.linearScores(count: count)
    guard count == 1 else {
      guard labels.count == count else { throw .invalid("there are \(labels.count) labels for \(count) scores") }
      return [try c.labels(labels, at: try c.greatest(scores)), try c.transformed(scores, transform)]
    }
    let isPositive = try c.compare(.greater, scores, try c.scalar(0.0, .f32))
    let place = try c.reshape(try c.cast(isPositive, to: .i64), [try c.shape(scores)[0]])
    guard labels.count == 2 else { throw .unsupported("\(labels.count) labels for one score are not supported") }
    if transform == "PROBIT" { throw .unsupported("post_transform PROBIT of one score is not supported") }
    let opposite = try c.unary(.neg, scores)
    let both: ValueID
    if transform == "LOGISTIC" {
      both = try c.unary(.sigmoid, try c.concat([opposite, scores], axis: 1))
    } else {
      both = try c.concat([try c.binary(.add, opposite, try c.scalar(1.0, .f32)), scores], axis: 1)
    }
    return [try c.labels(labels, at: place), both]
  }
}

extension ONNXNodeContext {
  /// `[rows, count]`: the features times `count` rows of coefficients, plus the intercepts.
  fileprivate func linearScores(count: Int) throws(Diagnostic) -> ValueID {
    let x = try features()
    guard let coefficients = try floats("coefficients"), count > 0, coefficients.count % count == 0 else {
      throw .invalid("coefficients are missing or do not divide into \(count) rows")
    }
    let width = coefficients.count / count
    var bias: ValueID?
    if let intercepts = try floats("intercepts"), !intercepts.isEmpty {
      guard intercepts.count == count else {
        throw .invalid("there are \(intercepts.count) intercepts for \(count) rows")
      }
      bias = try row("intercepts")
    }
    let rows = Tensor(.f32, [count, width], doubles: coefficients.map { Double($0) })
    let weights = try importer.weight(rows, name: "coefficients")
    return try add(MatMul(transposeRHS: true), x, weights, bias)
  }
}
