import Formats
import IR
import Support

extension ONNXMapping {
  /// At first labels were strings or their places in a list.
  static let firstLabelEncoder = ONNXMapping(
    ["LabelEncoder"], 1...1, inputs: 1...1, attributes: ["classes_strings", "default_int64", "default_string"],
    domain: machineLearningDomain
  ) { c throws(Diagnostic) in
    guard let classes = try c.keys("classes_strings") else { throw .invalid("classes_strings is missing") }
    let places = Tensor(.i64, [classes.count], integers: Array(0..<classes.count))
    let x = try c.input(0)
    if try c.element(x) == .string { return [try c.lookedUp(x, classes, places, try c.label("default_int64", places))] }
    return [try c.lookedUp(x, places, classes, try c.label("default_string", classes))]
  }

  static let labelEncoder = ONNXMapping(
    ["LabelEncoder"], 2...newest, inputs: 1...1,
    attributes: [
      "default_float", "default_int64", "default_string", "default_tensor", "keys_floats", "keys_int64s",
      "keys_strings", "keys_tensor", "values_floats", "values_int64s", "values_strings", "values_tensor",
    ], domain: machineLearningDomain
  ) { c throws(Diagnostic) in
    guard let keys = try c.table("keys"), let values = try c.table("values"), keys.count == values.count else {
      throw .invalid("keys or values are missing, or there are not as many of one as of the other")
    }
    let names: [ElementType: String] = [.string: "default_string", .f32: "default_float", .i64: "default_int64"]
    var missing = try c.tensorAttribute("default_tensor")?.reshaped([])
    if missing == nil { missing = try c.label(names[values.storage ?? .i64] ?? "default_int64", values) }
    guard let missing, missing.storage == values.storage else {
      throw .invalid("the default is no element like the values")
    }
    return [try c.lookedUp(try c.input(0), keys, values, missing)]
  }

  static let categoryMapper = ONNXMapping(
    ["CategoryMapper"], 1...newest, inputs: 1...1,
    attributes: ["cats_int64s", "cats_strings", "default_int64", "default_string"], domain: machineLearningDomain
  ) { c throws(Diagnostic) in
    guard let numbers = try c.keys("cats_int64s"), let texts = try c.keys("cats_strings"), numbers.count == texts.count
    else { throw .invalid("cats_int64s or cats_strings is missing, or they differ in length") }
    let x = try c.input(0)
    if try c.element(x) == .string { return [try c.lookedUp(x, texts, numbers, try c.label("default_int64", numbers))] }
    return [try c.lookedUp(x, numbers, texts, try c.label("default_string", texts))]
  }
}

extension ONNXNodeContext {
  /// `keys_int64s`, `keys_strings`, ... : the one that is given.
  fileprivate func table(_ name: String) throws(Diagnostic) -> Tensor? {
    for kind in ["strings", "int64s", "floats"] {
      if let tensor = try keys("\(name)_\(kind)") { return tensor }
    }
    return try tensorAttribute("\(name)_tensor").map { $0.reshaped([$0.count]) }
  }

  /// What stands for what is not found, like the elements of `values`.
  fileprivate func label(_ name: String, _ values: Tensor) throws(Diagnostic) -> Tensor {
    guard let element = values.storage else { throw .invalid("the values have no plain type") }
    if element == .string {
      return Tensor(strings: [Array(try string(name, default: "_Unused").utf8)], shape: [])
    }
    if element.isFloat { return .scalar(try float(name, default: -0.0), element) }
    return .scalar(try int(name, default: -1), element)
  }

  /// For each element the value whose key it is; the last one where there are several.
  func lookedUp(_ x: ValueID, _ keys: Tensor, _ values: Tensor, _ missing: Tensor) throws(Diagnostic) -> ValueID {
    let (shape, element) = (try shape(x), try element(x))
    guard keys.storage == element else { throw .invalid("the keys are no elements like those of \(try type(x))") }
    let count = keys.count
    let absent = try constant(missing.reshaped([]))
    guard count > 0 else { return try broadcast(absent, shape) }
    let table = try importer.constant(values, name: "values")
    let (isFound, place): (ValueID, ValueID)
    if element == .string {
      // The first of equal keys is found, so they stand backwards.
      let number = try add(StringFind(keys: keys.strings.reversed()), x)
      isFound = try compare(.less, number, try scalar(count))
      place = try binary(.sub, try scalar(count - 1), number)
    } else {
      let matches = try equal(try reshape(x, shape + [1]), try constant(keys), nan: version >= 4)
      let numbers = try select(matches, try constant(Array(0..<count)), try scalar(-1))
      place = try reduce(.max, numbers, axes: [shape.count], keepDims: false)
      isFound = try compare(.greaterEqual, place, try scalar(0))
    }
    let found = try add(Gather(axis: 0), table, try binary(.maximum, place, try scalar(0)))
    return try select(isFound, found, absent)
  }
}
