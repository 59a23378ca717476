import IR
import Support

// What follows the scores of a linear model, of support vectors or of trees: a transformation, and the label.

extension ONNXNodeContext {
  /// What `post_transform` makes of scores `[rows, n]`.
  func transformed(_ scores: ValueID, _ transform: String) throws(Diagnostic) -> ValueID {
    switch transform {
    case "NONE": return scores
    case "LOGISTIC": return try unary(.sigmoid, scores)
    case "SOFTMAX": return try add(Softmax(axis: 1), scores)
    case "SOFTMAX_ZERO":
      // A softmax among what is not zero; zeros stay.
      let zero = try number(0, like: scores)
      let isZero = try compare(.lessEqual, try unary(.abs, scores), try number(1e-7, like: scores))
      let top = try reduce(.max, scores, axes: [1])
      let power = try select(isZero, zero, try unary(.exp, try binary(.sub, scores, top)))
      let sum = try reduce(.sum, power, axes: [1])
      let hasAny = try compare(.greater, sum, zero)
      return try binary(.div, power, try select(hasAny, sum, try number(1, like: scores)))
    case "PROBIT": return try probit(scores)
    case let other: throw .invalid("post_transform is \"\(other)\"")
    }
  }

  /// `sqrt(2) * erfinv(2 p - 1)`, by the usual closed formula with two logarithms.
  private func probit(_ p: ValueID) throws(Diagnostic) -> ValueID {
    let x = try binary(.sub, try binary(.mul, p, try number(2, like: p)), try number(1, like: p))
    let sign = try unary(.sign, x)
    let one = try number(1, like: p)
    let logarithm = try unary(.log, try binary(.mul, try binary(.sub, one, x), try binary(.add, one, x)))
    let a = 0.147
    let half = try binary(.mul, logarithm, try number(0.5, like: p))
    let v = try binary(.add, try number(2 / (Double.pi * a), like: p), half)
    let w = try binary(.mul, logarithm, try number(1 / a, like: p))
    let root = try unary(.sqrt, try binary(.sub, try binary(.mul, v, v), w))
    let inner = try unary(.sqrt, try binary(.sub, root, v))
    return try binary(.mul, try binary(.mul, sign, inner), try number(2.0.squareRoot(), like: p))
  }

  /// The labels of classes, integers or strings, as one of two attributes holds them.
  func classLabels(_ integers: String) throws(Diagnostic) -> Tensor {
    if let strings = try keys("classlabels_strings"), strings.count > 0 { return strings }
    if let labels = try keys(integers), labels.count > 0 { return labels }
    throw .invalid("there are no class labels")
  }

  /// For each row the label at a place.
  func labels(_ labels: Tensor, at places: ValueID) throws(Diagnostic) -> ValueID {
    try add(Gather(axis: 0), try importer.constant(labels, name: "labels"), places)
  }

  /// The place of each row's greatest score.
  func greatest(_ scores: ValueID) throws(Diagnostic) -> ValueID {
    let place = try add(ArgExtreme(.max, axis: 1), scores)
    return try reshape(place, [try shape(scores)[0]])
  }

  /// The features as a matrix of f32: a list is one row.
  func features() throws(Diagnostic) -> ValueID {
    let x = try input(0)
    let shape = try shape(x)
    guard shape.count == 1 || shape.count == 2, try element(x) != .string else {
      throw .invalid("the features are \(try type(x)), expected a matrix of numbers")
    }
    return try reshape(try cast(x, to: .f32), shape.count == 1 ? [1] + shape : shape)
  }
}
