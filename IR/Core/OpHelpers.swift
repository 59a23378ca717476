import Support

// What op files share: checked access to operands, shapes, indices.

extension ValueFact {
  /// The tensor type of an operand.
  public func tensor(_ op: String) throws(Diagnostic) -> TensorType {
    guard case .tensor(let type) = type else { throw .invalid("\(op): an operand is \(type), expected a tensor") }
    return type
  }

  /// The tensor type of an operand that must be dense: plain or quantized elements in row-major order.
  public func dense(_ op: String) throws(Diagnostic) -> TensorType {
    let type = try tensor(op)
    guard type.layout == nil, type.element.storage != nil else {
      throw .invalid("\(op): an operand is \(type), expected a dense tensor")
    }
    return type
  }

  public var isAbsent: Bool { self == Function.absent }
}

extension Value {
  public func expectTensor() throws(Diagnostic) -> Tensor {
    guard case .tensor(let tensor) = self else { throw .bug("a tensor was expected") }
    return tensor
  }
  public var isAbsent: Bool { self == .optional(nil) }
}

/// Elements between neighbours along each axis of a dense tensor.
public func rowMajorStrides(_ shape: [Int]) -> [Int] {
  var strides = [Int](repeating: 1, count: shape.count)
  for axis in stride(from: shape.count - 2, through: 0, by: -1) { strides[axis] = strides[axis + 1] * shape[axis + 1] }
  return strides
}

/// `axis` counted from the end when negative; checked.
public func normalized(axis: Int, rank: Int, _ op: String) throws(Diagnostic) -> Int {
  let result = axis < 0 ? axis + rank : axis
  guard result >= 0, result < rank else { throw .invalid("\(op): axis \(axis) is outside of rank \(rank)") }
  return result
}

extension Tensor {
  /// A dense tensor of `shape` whose element at an index is the one of `self` at `offset + sum(index * strides)`.
  public func gathered(_ shape: [Int], strides: [Int], offset: Int = 0) -> Tensor {
    let count = shape.reduce(1, *)
    var positions = [Int](repeating: 0, count: count)
    var index = [Int](repeating: 0, count: shape.count)
    var position = offset
    for i in 0..<count {
      positions[i] = position
      var axis = shape.count - 1
      while axis >= 0 {
        index[axis] += 1
        position += strides[axis]
        if index[axis] < shape[axis] { break }
        position -= strides[axis] * shape[axis]
        index[axis] = 0
        axis -= 1
      }
    }
    return picking(positions, shape: shape)
  }

  /// The elements at `positions` (row-major numbers), as a dense tensor. A position of -1 is a zero.
  public func picking(_ positions: [Int], shape: [Int]) -> Tensor {
    if storage == .string { return Tensor(strings: positions.map { $0 < 0 ? [] : strings[$0] }, shape: shape) }
    guard let type = storage else { return Tensor(.f64, shape, doubles: []) }
    if type.bits % 8 == 0 {
      let width = type.bits / 8
      let picked = bytes.withBytes { source in
        ByteView(count: positions.count * width) { target in
          for (i, position) in positions.enumerated() where position >= 0 {
            for byte in 0..<width { target[i * width + byte] = source[position * width + byte] }
          }
        }
      }
      return retyped(shape, picked)
    }
    let all = integers()
    return retyped(shape, TensorCoding.encode(positions.map { $0 < 0 ? 0 : all[$0] }, as: type))
  }

  private func retyped(_ shape: [Int], _ bytes: ByteView) -> Tensor {
    // The byte count follows from the shape by construction.
    guard let tensor = try? Tensor(element: element, shape: shape, bytes: bytes) else { preconditionFailure("sizes differ") }
    return tensor
  }
}
