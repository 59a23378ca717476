import IR
import Support

// Products of bytes with zero points: one product of bytes as they are, and corrections that fold where weights are
// constant. `(a - za)(b - zb) = a b - za sum(b) - zb sum(a) + K za zb`, summed over K.

/// Bytes with the integer that stands for zero.
struct QuantizedOperand {
  var value: ValueID
  /// Nil stands for zero.
  var zero: ValueID?
}

extension ONNXNodeContext {
  /// The right side of a byte product is signed: unsigned bytes move by 128, and their zero point with them.
  func signed(_ operand: QuantizedOperand) throws(Diagnostic) -> QuantizedOperand {
    guard try element(operand.value) == .u8 else { return operand }
    let offset = try scalar(128, .i32)
    let value = try cast(try binary(.sub, try cast(operand.value, to: .i32), offset), to: .i8)
    guard let zero = operand.zero else { return QuantizedOperand(value: value, zero: try scalar(-128, .i32)) }
    return QuantizedOperand(value: value, zero: try binary(.sub, try cast(zero, to: .i32), offset))
  }

  /// The zero point as i32, or nil where it is known to be zero.
  func nonZeroPoint(_ operand: QuantizedOperand) throws(Diagnostic) -> ValueID? {
    guard let zero = operand.zero else { return nil }
    if let known = tensor(zero)?.integers(), known.allSatisfy({ $0 == 0 }) { return nil }
    return try cast(zero, to: .i32)
  }

  /// Matrices of bytes to i32. A row of zero points is one for each row of `a` or column of `b`.
  func integerProduct(_ a: QuantizedOperand, _ b: QuantizedOperand) throws(Diagnostic) -> ValueID {
    let weights = try signed(b)
    var result = try add(MatMul(), a.value, weights.value)
    let (rows, columns) = (try rank(a.value), try rank(weights.value))
    let left = try nonZeroPoint(a).map { zero throws(Diagnostic) in
      try rank(zero) == 1 ? try reshape(zero, try shape(zero) + [1]) : zero
    }
    let right = try nonZeroPoint(weights)
    if let left {
      var sums = try reduce(.sum, try cast(weights.value, to: .i32), axes: [columns - 2])
      if let right {
        let depth = try cast(try dimension(try shape(weights.value)[columns - 2]), to: .i32)
        sums = try binary(.sub, sums, try binary(.mul, right, depth))
      }
      result = try binary(.sub, result, try binary(.mul, left, sums))
    }
    if let right {
      let sums = try reduce(.sum, try cast(a.value, to: .i32), axes: [rows - 1])
      result = try binary(.sub, result, try binary(.mul, sums, right))
    }
    return result
  }

  /// An image and filters of bytes, channels first, to i32 with channels last.
  func integerConvolution(_ x: QuantizedOperand, _ w: QuantizedOperand) throws(Diagnostic) -> ValueID {
    let weights = try signed(w)
    var (kind, window) = try convolution(x.value, weights.value)
    var image = try channelsLast(x.value)
    let left = try nonZeroPoint(x)
    // What padding adds means zero, which is the zero point.
    if let left, window.padding.contains(where: { $0 != 0 }) {
      let axes = window.kernel.count
      let (before, after) = (Array(window.padding[..<axes]), Array(window.padding[axes...]))
      if let known = tensor(left)?.integers().first {
        image = try add(Pad(before: [0] + before + [0], after: [0] + after + [0], value: Double(known)), image)
      } else {
        let filler = try reshape(try cast(left, to: try element(image)), [])
        for axis in 0..<axes {
          image = try surrounded(image, axis: axis + 1, Dim(before[axis]), Dim(after[axis]), by: filler)
        }
      }
      kind.padding = []
    }
    let filters = try channelsLast(weights.value)
    var result = try add(kind, image, filters)
    let shape = try shape(filters)
    let taps = Array(1..<shape.count)
    let right = try nonZeroPoint(weights)
    if let left {
      var sums = try reduce(.sum, try cast(filters, to: .i32), axes: taps, keepDims: false)
      if let right {
        let depth = try cast(try dimension(shape.dropFirst().reduce(Dim(1), *)), to: .i32)
        sums = try binary(.sub, sums, try binary(.mul, right, depth))
      }
      result = try binary(.sub, result, try binary(.mul, left, sums))
    }
    if let right {
      let ones = try broadcast(try scalar(1, .i8), shape)
      result = try binary(.sub, result, try binary(.mul, try add(kind, image, ones), right))
    }
    return result
  }
}

extension ONNXMapping {
  static let matMulInteger = ONNXMapping(["MatMulInteger"], 10...newest, inputs: 2...4) { c throws(Diagnostic) in
    let (left, right) = (c.optionalInput(2), c.optionalInput(3))
    return [
      try c.matrixProduct(try c.input(0), try c.input(1)) { a, b throws(Diagnostic) in
        try c.integerProduct(QuantizedOperand(value: a, zero: left), QuantizedOperand(value: b, zero: right))
      }
    ]
  }

  static let convInteger = ONNXMapping(
    ["ConvInteger"], 10...newest, inputs: 2...4, attributes: ONNXWindow.attributes + ["group"]
  ) { c throws(Diagnostic) in
    let zero = try c.optionalInput(2).map { value throws(Diagnostic) in try c.reshape(value, []) }
    let x = QuantizedOperand(value: try c.input(0), zero: zero)
    let w = QuantizedOperand(value: try c.input(1), zero: c.optionalInput(3))
    return [try c.channelsFirst(try c.integerConvolution(x, w))]
  }
}
