import Formats
import IR
import Support

// What classical models are made of besides trees: features prepared, labels looked up.

extension ONNXMapping {
  static let machineLearningDomain = "ai.onnx.ml"

  static let machineLearning: [ONNXMapping] = [
    binarizer, scaler, imputer, normalizer, featureVectorizer, featureExtractor, oneHotEncoder, labelEncoder,
    firstLabelEncoder, categoryMapper, linearRegressor, linearClassifier, supportVectorRegressor,
    supportVectorClassifier, treeRegressor, treeClassifier, treeEnsemble, labeledScores,
  ]

  static let binarizer = ONNXMapping(
    ["Binarizer"], 1...newest, inputs: 1...1, attributes: ["threshold"], domain: machineLearningDomain
  ) { c throws(Diagnostic) in
    let x = try c.input(0)
    let isAbove = try c.compare(.greater, x, try c.number(try c.float("threshold", default: 0), like: x))
    return [try c.cast(isAbove, to: try c.element(x))]
  }

  static let scaler = ONNXMapping(
    ["Scaler"], 1...newest, inputs: 1...1, attributes: ["offset", "scale"], domain: machineLearningDomain
  ) { c throws(Diagnostic) in
    let x = try c.input(0)
    guard let scale = try c.row("scale"), let offset = try c.row("offset") else {
      throw .invalid("scale or offset is missing")
    }
    let moved = try c.binary(.sub, try c.cast(x, to: .f32), offset)
    return [try c.binary(.mul, moved, scale)]
  }

  static let imputer = ONNXMapping(
    ["Imputer"], 1...newest, inputs: 1...1,
    attributes: ["imputed_value_floats", "imputed_value_int64s", "replaced_value_float", "replaced_value_int64"],
    domain: machineLearningDomain
  ) { c throws(Diagnostic) in
    let x = try c.input(0)
    let element = try c.element(x)
    let values: Tensor
    let isMissing: ValueID
    if element.isFloat {
      let given = try c.floats("imputed_value_floats") ?? []
      values = Tensor(element, [given.count], doubles: given.map { Double($0) })
      let replaced = try c.number(try c.float("replaced_value_float", default: 0), like: x)
      isMissing = try c.equal(x, replaced, nan: true)
    } else {
      let given = try c.ints("imputed_value_int64s") ?? []
      values = Tensor(element, [given.count], integers: given)
      isMissing = try c.equal(x, try c.scalar(try c.int("replaced_value_int64", default: 0), element))
    }
    guard values.count > 0 else { throw .invalid("imputed_value is missing for elements of \(try c.type(x))") }
    return [try c.select(isMissing, try c.constant(values), x)]
  }

  /// Rows divided by their greatest element, the sum of their magnitudes or their length; those of zeros stay.
  static let normalizer = ONNXMapping(
    ["Normalizer"], 1...newest, inputs: 1...1, attributes: ["norm"], domain: machineLearningDomain
  ) { c throws(Diagnostic) in
    let x = try c.cast(try c.input(0), to: .f32)
    let last = try c.rank(x) - 1
    let norm: ValueID
    switch try c.string("norm", default: "MAX") {
    case "MAX": norm = try c.reduce(.max, x, axes: [last])
    case "L1": norm = try c.reduce(.sum, try c.unary(.abs, x), axes: [last])
    case "L2": norm = try c.unary(.sqrt, try c.reduce(.sum, try c.binary(.mul, x, x), axes: [last]))
    case let other: throw .invalid("norm is \"\(other)\", expected MAX, L1 or L2")
    }
    let isZero = try c.compare(.equal, norm, try c.scalar(0.0, .f32))
    return [try c.binary(.div, x, try c.select(isZero, try c.scalar(1.0, .f32), norm))]
  }

  static let featureVectorizer = ONNXMapping(
    ["FeatureVectorizer"], 1...newest, inputs: 1...Int.max, attributes: ["inputdimensions"],
    domain: machineLearningDomain
  ) { c throws(Diagnostic) in
    let widths = try c.ints("inputdimensions")
    var parts: [ValueID] = []
    for (number, operand) in try c.allInputs().enumerated() {
      let shape = try c.shape(operand)
      guard shape.count == 1 || shape.count == 2, let width = shape.last else {
        throw .invalid("an input is \(try c.type(operand)), expected a list or a matrix")
      }
      if let widths, number < widths.count, let known = width.constant, known != widths[number] {
        throw .invalid("input \(number) has \(known) features, inputdimensions says \(widths[number])")
      }
      parts.append(try c.reshape(try c.cast(operand, to: .f32), shape.count == 1 ? [1, width] : shape))
    }
    return [try c.concat(parts, axis: 1)]
  }

  static let featureExtractor = ONNXMapping(
    ["ArrayFeatureExtractor"], 1...newest, inputs: 2...2, domain: machineLearningDomain
  ) { c throws(Diagnostic) in
    let (x, indices) = (try c.input(0), try c.input(1))
    let rank = try c.rank(x)
    guard rank > 0 else { throw .invalid("the input is a scalar") }
    let places = try c.reshape(indices, [try c.type(indices).elementCount])
    let picked = try c.add(Gather(axis: rank - 1), x, places)
    return [rank == 1 ? try c.reshape(picked, [1] + (try c.shape(picked))) : picked]
  }

  /// A map from labels to scores for each row, which the graph language lacks. Where it is what the model gives, the
  /// scores are given as they come, a column for each label.
  static let labeledScores = ONNXMapping(
    ["ZipMap"], 1...newest, inputs: 1...1, attributes: ["classlabels_int64s", "classlabels_strings"],
    domain: machineLearningDomain
  ) { c throws(Diagnostic) in
    let scope = c.importer.scopes[c.importer.scopes.count - 1]
    let name = c.node.outputs.first ?? ""
    guard scope.readers[name] == nil else { throw .unsupported("maps that other operators read are not supported") }
    c.importer.notes.append(
      "output \"\(name)\" is a list of maps from labels to scores; it becomes the scores alone, in the order of labels")
    return [try c.input(0)]
  }

  static let oneHotEncoder = ONNXMapping(
    ["OneHotEncoder"], 1...newest, inputs: 1...1, attributes: ["cats_int64s", "cats_strings", "zeros"],
    domain: machineLearningDomain
  ) { c throws(Diagnostic) in
    let x = try c.input(0)
    let isText = try c.element(x) == .string
    guard let categories = try c.keys(isText ? "cats_strings" : "cats_int64s") else {
      throw .invalid("there are no categories for elements of \(try c.type(x))")
    }
    let shape = try c.shape(x)
    let column = try c.reshape(isText ? x : try c.cast(x, to: .i64), shape + [1])
    let isHot = try c.equal(column, try c.constant(categories))
    guard try !c.flag("zeros", default: true) else { return [try c.cast(isHot, to: .f32)] }
    // What is in no category picks a row that does not exist, which fails when it runs.
    let count = categories.count
    let numbers = try c.select(isHot, try c.constant(Array(0..<count)), try c.scalar(count))
    var rows: [Double] = []
    for row in 0..<count { rows += (0..<count).map { $0 == row ? 1 : 0 } }
    let place = try c.reduce(.min, numbers, axes: [shape.count], keepDims: false)
    return [try c.add(Gather(axis: 0), try c.constant(Tensor(.f32, [count, count], doubles: rows)), place)]
  }
}

extension ONNXNodeContext {
  /// A list of floats, as numbers for the last axis: one counts for all.
  func row(_ name: String) throws(Diagnostic) -> ValueID? {
    guard let numbers = try floats(name), !numbers.isEmpty else { return nil }
    return try constant(Tensor(.f32, [numbers.count], doubles: numbers.map { Double($0) }))
  }

  /// A list of strings or integers that an attribute holds.
  func keys(_ name: String) throws(Diagnostic) -> Tensor? {
    if name.hasSuffix("strings") {
      return try byteStrings(name).map { Tensor(strings: $0, shape: [$0.count]) }
    }
    if name.hasSuffix("floats") {
      return try floats(name).map { Tensor(.f32, [$0.count], doubles: $0.map { Double($0) }) }
    }
    return try ints(name).map { Tensor(.i64, [$0.count], integers: $0) }
  }
}
