import Support

/// What becomes of an element that an update meets.
public enum ScatterReduction: String, CaseIterable, Sendable {
  /// The update takes its place; of several the last one stays.
  case none
  case add, mul, min, max

  func check(_ type: TensorType, _ op: String) throws(Diagnostic) {
    guard self != .none else { return }
    guard let element = type.plain, element != .string else {
      throw .invalid("\(op): reduction = \(rawValue) cannot take \(type)")
    }
    if element == .bool, self == .add || self == .mul {
      throw .invalid("\(op): reduction = \(rawValue) cannot take \(type)")
    }
  }

  /// `x` with updates at `positions`, one for each element of `updates`.
  func scatter(_ updates: Tensor, into x: Tensor, at positions: [Int]) throws(Diagnostic) -> Tensor {
    if self == .none {
      var sources = Array(0..<x.count)
      for (number, position) in positions.enumerated() { sources[position] = x.count + number }
      return try Tensor.joined([x, updates]).picking(sources, shape: x.shape)
    }
    guard let element = x.storage else { throw .bug("a scatter into blocks") }
    if element.isFloat {
      var values = x.doubles()
      let others = updates.doubles()
      for (number, position) in positions.enumerated() {
        values[position] = combined(values[position], others[number])
      }
      return Tensor(element, x.shape, doubles: values)
    }
    var values = x.integers()
    let others = updates.integers()
    for (number, position) in positions.enumerated() {
      values[position] = combined(values[position], others[number], isUnsigned: element == .u64)
    }
    return Tensor(element, x.shape, integers: values)
  }

  private func combined(_ a: Double, _ b: Double) -> Double {
    switch self {
    case .none: b
    case .add: a + b
    case .mul: a * b
    case .min: Binary.Function.minimum.apply(a, b)
    case .max: Binary.Function.maximum.apply(a, b)
    }
  }

  private func combined(_ a: Int, _ b: Int, isUnsigned: Bool) -> Int {
    let isLess = isUnsigned ? UInt(bitPattern: a) < UInt(bitPattern: b) : a < b
    switch self {
    case .none: return b
    case .add: return a &+ b
    case .mul: return a &* b
    case .min: return isLess ? a : b
    case .max: return isLess ? b : a
    }
  }

  /// The elements of a small result, where only replacing is done.
  func facts(
    _ inputs: [ValueFact], _ type: TensorType, _ positions: () throws(Diagnostic) -> [Int]?
  ) -> ValueFact {
    guard self == .none, var elements = inputs[0].known?.elements, let updates = inputs[2].known?.elements,
      let places = try? positions(), places.count == updates.count
    else { return ValueFact(type) }
    for (number, place) in places.enumerated() { elements[place] = updates[number] }
    return ValueFact(type, holding: elements)
  }
}
