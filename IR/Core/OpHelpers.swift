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
public func rowMajorStrides(_ shape: [Int]) -> [Int] { rowMajorStrides(shape, one: 1, *) }
public func rowMajorStrides(_ shape: [Dim]) -> [Dim] { rowMajorStrides(shape, one: 1, *) }

private func rowMajorStrides<Extent>(
  _ shape: [Extent], one: Extent, _ product: (Extent, Extent) -> Extent
) -> [Extent] {
  var strides = [Extent](repeating: one, count: shape.count)
  for axis in stride(from: shape.count - 2, through: 0, by: -1) {
    strides[axis] = product(strides[axis + 1], shape[axis + 1])
  }
  return strides
}

/// No extent written as an attribute is negative; symbols may still turn out so, which run time checks.
func checkExtents(_ shape: [Dim], _ op: String) throws(Diagnostic) {
  for dim in shape {
    if let value = dim.constant, value < 0 { throw .invalid("\(op): the shape \(shape) has a negative extent") }
  }
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
    if let type = storage, type != .string, type.bits % 8 == 0, !shape.isEmpty {
      return retyped(shape, StridedCopy(shape, strides, offset, width: type.bits / 8).run(bytes))
    }
    return picking(stridedPositions(shape, strides: strides, offset: offset), shape: shape)
  }

  /// The elements at `positions` (row-major numbers), as a dense tensor. A position of -1 is the one element of
  /// `filler`, or zero.
  public func picking(_ positions: [Int], shape: [Int], filler: Tensor? = nil) -> Tensor {
    if storage == .string {
      let missing = filler?.strings.first ?? []
      return Tensor(strings: positions.map { $0 < 0 ? missing : strings[$0] }, shape: shape)
    }
    guard let type = storage else { preconditionFailure("blocks cannot be picked apart") }
    if type.bits % 8 == 0 {
      let width = type.bits / 8
      let picked = bytes.withBytes { source in
        ByteView(count: positions.count * width) { target in
          Tensor.pick(positions, from: source, to: target, width: width)
          guard let filler else { return }
          for (i, position) in positions.enumerated() where position < 0 {
            for byte in 0..<width { target[i * width + byte] = filler.bytes[byte] }
          }
        }
      }
      return retyped(shape, picked)
    }
    let all = TensorCoding.bits(bytes, as: type, count: count)
    let missing = filler.flatMap { TensorCoding.bits($0.bytes, as: type, count: 1).first } ?? 0
    return retyped(shape, TensorCoding.encode(bits: positions.map { $0 < 0 ? missing : all[$0] }, as: type))
  }

  private static func pick(
    _ positions: [Int], from source: UnsafeRawBufferPointer, to target: UnsafeMutableRawBufferPointer, width: Int
  ) {
    switch width {
    case 1:
      for (i, position) in positions.enumerated() where position >= 0 { target[i] = source[position] }
    case 2:
      let out = target.bindMemory(to: UInt16.self)
      for (i, position) in positions.enumerated() where position >= 0 {
        out[i] = source.loadUnaligned(fromByteOffset: position * 2, as: UInt16.self)
      }
    case 4:
      let out = target.bindMemory(to: UInt32.self)
      for (i, position) in positions.enumerated() where position >= 0 {
        out[i] = source.loadUnaligned(fromByteOffset: position * 4, as: UInt32.self)
      }
    default:
      let out = target.bindMemory(to: UInt64.self)
      for (i, position) in positions.enumerated() where position >= 0 {
        out[i] = source.loadUnaligned(fromByteOffset: position * 8, as: UInt64.self)
      }
    }
  }

  /// Stored integers of any dense element type, quantized ones included; they wrap.
  public init(element: TensorElement, _ shape: [Int], stored integers: [Int]) throws(Diagnostic) {
    guard let type = element.storage, !type.isFloat else { throw .bug("\(element) does not store integers") }
    try self.init(element: element, shape: shape, bytes: TensorCoding.encode(integers, as: type))
  }

  /// Tensors of one element type, one after the other, as a tensor with one axis.
  static func joined(_ tensors: [Tensor]) throws(Diagnostic) -> Tensor {
    guard let first = tensors.first, let type = first.storage else { throw .bug("there are no dense tensors to join") }
    let count = tensors.reduce(0) { $0 + $1.count }
    if type == .string { return Tensor(strings: tensors.flatMap(\.strings), shape: [count]) }
    if type.bits % 8 != 0 {
      let patterns = tensors.flatMap { TensorCoding.bits($0.bytes, as: type, count: $0.count) }
      return first.retyped([count], TensorCoding.encode(bits: patterns, as: type))
    }
    let bytes = ByteView(count: count * type.bits / 8) { target in
      var offset = 0
      for tensor in tensors {
        tensor.bytes.withBytes { source in
          if source.count > 0 { UnsafeMutableRawBufferPointer(rebasing: target[offset...]).copyMemory(from: source) }
        }
        offset += tensor.bytes.count
      }
    }
    return first.retyped([count], bytes)
  }

  private func retyped(_ shape: [Int], _ bytes: ByteView) -> Tensor {
    // The byte count follows from the shape by construction.
    guard let tensor = try? Tensor(element: element, shape: shape, bytes: bytes) else {
      preconditionFailure("sizes differ")
    }
    return tensor
  }
}

extension [ValueFact] {
  /// The operand `number`, or nil when it is absent.
  func present(_ number: Int) -> ValueFact? { number < count && !self[number].isAbsent ? self[number] : nil }
}

extension [Value] {
  /// The operand `number`, or nil when it is absent.
  func present(_ number: Int) throws(Diagnostic) -> Tensor? {
    number < count && !self[number].isAbsent ? try self[number].expectTensor() : nil
  }
}
