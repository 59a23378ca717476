import IR
import Support

/// How a reduction joins two partial results, in registers.
struct Combination {
  enum Function { case sum, product, maximum, minimum }
  let function: Function
  /// What is combined: it tells the order of numbers and the least and greatest of them.
  let element: ElementType
  /// The accumulator's scalar.
  let scalar: LoopScalar
  /// Whether a NaN makes the greatest and least NaN too; not where the result is NaN then anyway.
  var keepsNaN = true

  init(_ function: Function, _ element: ElementType, scalar: LoopScalar? = nil) throws(Diagnostic) {
    self.function = function
    self.element = element
    if let scalar { self.scalar = scalar } else { self.scalar = try ElementForm(element).register }
  }

  /// Of elements in their own register form.
  init(_ function: Function, of form: ElementForm) {
    self.function = function
    element = form.element
    scalar = form.register
  }

  /// What changes nothing: the result of no elements.
  func identity(_ build: KernelBuilder, lanes: Int) -> LoopValue {
    let type = LoopType(scalar, lanes: lanes)
    if scalar.isFloat {
      switch function {
      case .sum: return build.float(0, type)
      case .product: return build.float(1, type)
      case .maximum: return build.float(-.infinity, type)
      case .minimum: return build.float(.infinity, type)
      }
    }
    let range = element.integerRange ?? 0...0
    switch function {
    case .sum: return build.integer(0, type)
    case .product: return build.integer(1, type)
    case .maximum: return build.integer(range.lowerBound, type)
    // The greatest of 64 unsigned bits does not fit a signed number.
    case .minimum: return build.integer(element == .u64 ? -1 : range.upperBound, type)
    }
  }

  /// A long chain of these loses what many short ones keep.
  var isFloatSum: Bool { scalar.isFloat && function == .sum }

  func combine(_ build: KernelBuilder, _ a: LoopValue, _ b: LoopValue) -> LoopValue {
    switch function {
    case .sum: return build.add(a, b)
    case .product: return build.mul(a, b)
    case .maximum, .minimum:
      let isMaximum = function == .maximum
      if scalar == .i1 { return build.binary(isMaximum ? .or : .and, a, b) }
      if !scalar.isFloat {
        return build.binary(element.isSigned ? (isMaximum ? .max : .min) : (isMaximum ? .umax : .umin), a, b)
      }
      if !keepsNaN { return build.binary(isMaximum ? .max : .min, a, b) }
      // A NaN in the second operand wins by itself; one in front is put back.
      return build.select(build.compare(.ne, a, a), a, build.binary(isMaximum ? .max : .min, a, b))
    }
  }

  /// All lanes of a vector to one.
  func acrossLanes(_ build: KernelBuilder, _ vector: LoopValue) -> LoopValue {
    guard build.type(vector).isVector else { return vector }
    switch function {
    case .sum: return build.reduce(.add, vector)
    case .product: return build.reduce(.mul, vector)
    case .maximum, .minimum:
      let isMaximum = function == .maximum
      if scalar == .i1 { return build.reduce(isMaximum ? .or : .and, vector) }
      if !scalar.isFloat {
        return build.reduce(element.isSigned ? (isMaximum ? .max : .min) : (isMaximum ? .umax : .umin), vector)
      }
      if !keepsNaN { return build.reduce(isMaximum ? .max : .min, vector) }
      let anyNaN = build.reduce(.or, build.compare(.ne, vector, vector))
      let best = build.reduce(isMaximum ? .max : .min, vector)
      return build.select(anyNaN, build.float(.nan, build.type(best)), best)
    }
  }
}

/// Partial results of one row: independent vectors, and a scalar for the rest where vectors cannot be masked.
struct RowAccumulators {
  let scope: KernelScope
  let combination: Combination
  let lanes: Int
  /// Independent vectors: chains of additions stay short, and as exact as short sums.
  let vectors: Int

  private var hasScalar: Bool { lanes > 1 && !scope.profile.hasMaskedMemory }

  func initial() -> [LoopValue] {
    let build = scope.build
    var values = (0..<vectors).map { _ in combination.identity(build, lanes: lanes) }
    if hasScalar { values.append(combination.identity(build, lanes: 1)) }
    return values
  }

  /// Joins the elements `from ..< to` of a row to `carried`.
  func accumulate(
    _ from: LoopValue, _ to: LoopValue, _ carried: [LoopValue],
    _ value: (LoopValue, Int, LoopValue?) -> LoopValue
  ) -> [LoopValue] {
    accumulate(from, to, carried, rows: 1) { value($1, $2, $3) }
  }

  /// The same for several rows at once, what is carried for one behind the other.
  func accumulate(
    _ from: LoopValue, _ to: LoopValue, _ carried: [LoopValue], rows: Int,
    _ value: (_ row: Int, LoopValue, Int, LoopValue?) -> LoopValue
  ) -> [LoopValue] {
    let build = scope.build
    let each = carried.count / rows
    /// Joins one vector (or element) of every row to its accumulator `number`.
    func join(_ accumulators: inout [LoopValue], _ number: Int, _ i: LoopValue, _ lanes: Int) {
      for row in 0..<rows {
        let place = row * each + number
        accumulators[place] = combination.combine(build, accumulators[place], value(row, i, lanes, nil))
      }
    }
    let blockEnd = scope.wholeVectors(from, to, lanes: lanes * vectors)
    var result = build.forLoop(from, blockEnd, step: lanes * vectors, carrying: carried) { i, carried in
      var next = carried
      for number in 0..<vectors { join(&next, number, build.add(i, number * lanes), lanes) }
      return next
    }
    guard lanes > 1 else {
      return build.forLoop(blockEnd, to, carrying: result) { i, carried in
        var next = carried
        join(&next, 0, i, 1)
        return next
      }
    }
    let vectorEnd = vectors == 1 ? blockEnd : scope.wholeVectors(blockEnd, to, lanes: lanes)
    result = build.forLoop(blockEnd, vectorEnd, step: lanes, carrying: result) { i, carried in
      var next = carried
      join(&next, 0, i, lanes)
      return next
    }
    if hasScalar {
      return build.forLoop(vectorEnd, to, carrying: result) { i, carried in
        var next = carried
        join(&next, vectors, i, 1)
        return next
      }
    }
    return build.forLoop(vectorEnd, to, step: lanes, carrying: result) { i, carried in
      let mask = build.prefixMask(build.sub(to, i), lanes: lanes)
      var next = carried
      for row in 0..<rows {
        let rest = build.select(mask, value(row, i, lanes, mask), combination.identity(build, lanes: lanes))
        let place = row * each + vectors - 1
        next[place] = combination.combine(build, next[place], rest)
      }
      return next
    }
  }

  func total(_ carried: [LoopValue]) -> LoopValue {
    let build = scope.build
    var parts = Array(carried.prefix(vectors))
    while parts.count > 1 {
      let half = (parts.count + 1) / 2
      for number in half..<parts.count {
        parts[number - half] = combination.combine(build, parts[number - half], parts[number])
      }
      parts.removeLast(parts.count - half)
    }
    let sum = combination.acrossLanes(build, parts[0])
    return hasScalar ? combination.combine(build, sum, carried[vectors]) : sum
  }
}
