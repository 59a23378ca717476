import IR
import Support

/// What stands between the product and the softmax of an attention that is spelled out.
struct SpelledMask {
  /// `select condition, scores, number`, or with `sees` false `select condition, number, scores`.
  struct Choice {
    var condition: ValueID
    var sees: Bool
    var number: Double
  }
  var addends: [ValueID] = []
  var choices: [Choice] = []
  /// Set when a mask hides what comes behind a query: how far queries stand behind keys of the same number.
  private(set) var causalOffset: Dim?

  /// Numbers from here on swallow any product that they are added to, in f32.
  private static let swallows = -1e30
  /// Elements that a constant mask may have to be looked at.
  private static let elementLimit = 1 << 22

  /// Why `attention` cannot take the masks, or nil. Finds on the way what is causal.
  mutating func obstacle(_ type: TensorType, _ context: PassContext) -> String? {
    for choice in choices where choice.number > SpelledMask.swallows {
      return "hidden products become \(choice.number), which does not hide them from a row of hidden ones"
    }
    takeCausal(type, context)
    let wide = type.shape
    for addend in addends {
      guard stretches(addend, to: wide, context) else { return "a mask does not stretch to the product" }
    }
    for choice in choices {
      guard stretches(choice.condition, to: wide, context) else { return "a mask does not stretch to the product" }
    }
    return nil
  }

  private func stretches(_ value: ValueID, to wide: [Dim], _ context: PassContext) -> Bool {
    guard let shape = context.shape(value), shape.count <= wide.count else { return false }
    return zip(shape, wide.suffix(shape.count)).allSatisfy { $0 == 1 || context.provablyEqual($0, $1) }
  }

  /// Takes one mask out that hides all keys behind a query. With finite numbers it must be the only one: where others
  /// hide what it shows, what it hides counts as much.
  private mutating func takeCausal(_ type: TensorType, _ context: PassContext) {
    let isOnly = addends.count + choices.count == 1
    for (place, choice) in choices.enumerated() where isOnly || choice.number == -.infinity {
      let offset =
        SpelledMask.offset(ofConstant: choice.condition, type, context) { ($0 != 0) == choice.sees ? .seen : .hidden }
        ?? SpelledMask.offset(ofComparison: choice.condition, sees: choice.sees, type, context)
      // A finite number gives a query that sees nothing a mean of all.
      guard let offset, choice.number == -.infinity || context.bounds(offset).lowerBound >= 0 else { continue }
      causalOffset = offset
      choices.remove(at: place)
      return
    }
    for (place, addend) in addends.enumerated() {
      let offset = SpelledMask.offset(ofConstant: addend, type, context) { number in
        number == 0 ? .seen : number == -.infinity || (isOnly && number <= SpelledMask.swallows) ? .hidden : .other
      }
      guard let offset else { continue }
      causalOffset = offset
      addends.remove(at: place)
      return
    }
  }

  private enum Sight { case seen, hidden, other }

  /// The offset with which a constant shows the keys up to each query.
  private static func offset(
    ofConstant value: ValueID, _ type: TensorType, _ context: PassContext, _ sight: (Double) -> Sight
  ) -> Dim? {
    guard let tensor = context.constant(value), let rows = type.shape[type.rank - 2].constant,
      let columns = type.shape[type.rank - 1].constant, rows > 0, columns > 0, tensor.shape.count >= 2,
      tensor.shape.suffix(2) == [rows, columns], tensor.count == rows * columns, tensor.count <= elementLimit,
      tensor.storage != .string
    else { return nil }
    let numbers = tensor.doubles()
    let seen = numbers.prefix(columns).prefix { sight($0) == .seen }.count
    // The first query must see a key, and not all, lest every mask of zeros counts.
    guard seen > 0, seen < columns || rows == 1 else { return nil }
    for row in 0..<rows {
      for column in 0..<columns {
        let expected: Sight = column < row + seen ? .seen : .hidden
        guard sight(numbers[row * columns + column]) == expected else { return nil }
      }
    }
    return Dim(seen - 1)
  }

  /// The offset with which `key <= query + offset` or the like compares running numbers.
  private static func offset(
    ofComparison value: ValueID, sees: Bool, _ type: TensorType, _ context: PassContext
  ) -> Dim? {
    guard let comparison = context.producer(of: value, Compare.self),
      let a = context.operand(comparison.op, 0).flatMap({ RunningNumber($0, context) }),
      let b = context.operand(comparison.op, 1).flatMap({ RunningNumber($0, context) }), a.axis != b.axis
    else { return nil }
    let isKeyLeft = a.axis == 0
    let (key, query) = isKeyLeft ? (a, b) : (b, a)
    guard context.provablyEqual(key.extent, type.shape[type.rank - 1]),
      context.provablyEqual(query.extent, type.shape[type.rank - 2])
    else { return nil }
    // The comparison as `key ? query`, for what is seen.
    var function = isKeyLeft ? comparison.kind.function : flipped(comparison.kind.function)
    if !sees { function = negated(function) }
    // key + keyStart <= query + queryStart
    switch function {
    case .lessEqual: return query.start - key.start
    case .less: return query.start - key.start - 1
    default: return nil
    }
  }

  private static func flipped(_ function: Compare.Function) -> Compare.Function {
    switch function {
    case .less: .greater
    case .lessEqual: .greaterEqual
    case .greater: .less
    case .greaterEqual: .lessEqual
    default: function
    }
  }

  private static func negated(_ function: Compare.Function) -> Compare.Function {
    switch function {
    case .less: .greaterEqual
    case .lessEqual: .greater
    case .greater: .lessEqual
    case .greaterEqual: .less
    case .equal: .notEqual
    case .notEqual: .equal
    }
  }

  /// The mask as `attention` takes it, or nil where none is left.
  func insert(
    _ type: TensorType, locations: [String], before op: OpID, _ context: inout PassContext
  ) throws(Diagnostic) -> ValueID? {
    guard let element = type.plain else { return nil }
    func add(
      _ kind: any OpKind, _ operands: [ValueID?], _ context: inout PassContext
    ) throws(Diagnostic) -> ValueID {
      try context.insert(kind, operands, locations: locations, at: .before(op))[0]
    }
    var result: ValueID?
    if addends.isEmpty, choices.allSatisfy({ $0.number == -.infinity }) {
      for choice in choices {
        let sight = choice.sees ? choice.condition : try add(Unary(.not), [choice.condition], &context)
        result = if let other = result { try add(Binary(.and), [other, sight], &context) } else { sight }
      }
      return result
    }
    var all = addends
    for choice in choices {
      let zero = try add(Constant(Tensor(element, [], doubles: [0])), [], &context)
      let hidden = try add(Constant(Tensor(element, [], doubles: [choice.number])), [], &context)
      let answers = choice.sees ? [zero, hidden] : [hidden, zero]
      all.append(try add(Select(), [choice.condition] + answers, &context))
    }
    for addend in all {
      result = if let other = result { try add(Binary(.add), [other, addend], &context) } else { addend }
    }
    return result
  }
}

/// A value that counts up along its last axis (0) or the one before it (1), from `start`, and is the same along others.
struct RunningNumber {
  let axis: Int
  let start: Dim
  /// How far it counts.
  let extent: Dim

  init?(_ value: ValueID, _ context: PassContext) { self.init(value, context, depth: 0) }

  private init?(_ value: ValueID, _ context: PassContext, depth: Int) {
    guard depth < 12, let op = context.function.definingOp(value), let shape = context.shape(value), !shape.isEmpty
    else { return nil }
    func inner(_ number: Int) -> RunningNumber? {
      context.operand(op, number).flatMap { RunningNumber($0, context, depth: depth + 1) }
    }
    switch context.function[op].kind {
    case is Iota: (axis, start, extent) = (0, 0, shape[0])
    case let cast as Cast:
      // Floats could not tell neighbours apart far out, but no mask reaches there.
      guard case .plain(let to) = cast.to, to == .i64 || to == .i32 || to == .f32, let x = inner(0) else { return nil }
      self = x
    case is Reshape:
      // Only extents of one may come and go, and one alone may be longer.
      let long = shape.indices.filter { shape[$0] != 1 }
      let from = context.operand(op, 0).flatMap { context.shape($0) } ?? []
      guard let x = inner(0), long.count == 1, shape.count - 1 - long[0] <= 1,
        from.filter({ $0 != 1 }) == [shape[long[0]]], x.extent == shape[long[0]]
      else { return nil }
      (axis, start, extent) = (shape.count - 1 - long[0], x.start, x.extent)
    case is Broadcast:
      guard let x = inner(0), shape.count > x.axis, shape[shape.count - 1 - x.axis] == x.extent else { return nil }
      self = x
    case let turn as Transpose:
      let rank = turn.permutation.count
      guard let x = inner(0), let place = turn.permutation.firstIndex(of: rank - 1 - x.axis), rank - 1 - place <= 1
      else { return nil }
      (axis, start, extent) = (rank - 1 - place, x.start, x.extent)
    case let sum as Binary where sum.function == .add || sum.function == .sub:
      let a = RunningNumber.known(context.operand(op, 0), context)
      let b = RunningNumber.known(context.operand(op, 1), context)
      if let b, let x = inner(0) {
        (axis, start, extent) = (x.axis, sum.function == .add ? x.start + b : x.start - b, x.extent)
      } else if let a, sum.function == .add, let x = inner(1) {
        (axis, start, extent) = (x.axis, x.start + a, x.extent)
      } else {
        return nil
      }
    default: return nil
    }
  }

  /// The one number that a small integer tensor is.
  private static func known(_ value: ValueID?, _ context: PassContext) -> Dim? {
    guard let value, let elements = context.function[value].fact.elements, elements.count == 1 else { return nil }
    return elements[0]
  }
}
