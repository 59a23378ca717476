import Support

/// A tensor in host memory: a weight, a constant, an input or what `evaluate` computed.
///
/// Elements are read as doubles or integers and written back rounded to the
/// element type, which keeps `evaluate` short and exact: an f32 operation done in
/// f64 and rounded once is the correctly rounded f32 result.
public struct Tensor: Hashable, Sendable {
  public let element: TensorElement
  public let shape: [Int]
  public let layout: PackedLayout?
  public let bytes: ByteView
  /// The elements of a `str` tensor, which have no fixed size; empty otherwise.
  public let strings: [[UInt8]]

  /// Checked: the bytes must be exactly what the type takes.
  public init(
    element: TensorElement, shape: [Int], layout: PackedLayout? = nil, bytes: ByteView
  ) throws(Diagnostic) {
    guard element.storage != .string, let expected = TensorType.bytes(element: element, shape: shape, layout: layout)
    else {
      throw .invalid("a tensor of type \(element) cannot have shape \(shape)")
    }
    guard expected == bytes.count else {
      throw .invalid("a tensor \(element)\(shape) takes \(expected) bytes, but \(bytes.count) are given")
    }
    self.element = element
    self.shape = shape
    self.layout = layout
    self.bytes = bytes
    self.strings = []
  }

  public init(strings: [[UInt8]], shape: [Int]) {
    precondition(shape.reduce(1, *) == strings.count)
    element = .plain(.string)
    self.shape = shape
    layout = nil
    bytes = .empty
    self.strings = strings
  }

  /// Rounds each number to the element type (to nearest even; integers wrap).
  public init(_ type: ElementType, _ shape: [Int], doubles: [Double]) {
    precondition(shape.reduce(1, *) == doubles.count, "\(shape) holds not \(doubles.count) elements")
    element = .plain(type)
    self.shape = shape
    layout = nil
    strings = []
    bytes = TensorCoding.encode(doubles, as: type)
  }

  public init(_ type: ElementType, _ shape: [Int], integers: [Int]) {
    precondition(shape.reduce(1, *) == integers.count, "\(shape) holds not \(integers.count) elements")
    element = .plain(type)
    self.shape = shape
    layout = nil
    strings = []
    bytes = TensorCoding.encode(integers, as: type)
  }

  public static func scalar(_ value: Int, _ type: ElementType = .i64) -> Tensor { Tensor(type, [], integers: [value]) }
  public static func scalar(_ value: Double, _ type: ElementType = .f32) -> Tensor {
    Tensor(type, [], doubles: [value])
  }

  public var count: Int { shape.reduce(1, *) }
  public var type: TensorType { TensorType(element, shape.map { Dim($0) }, layout: layout) }
  public var storage: ElementType? { element.storage }
  public var isFloat: Bool { if case .block = element { true } else { storage?.isFloat ?? false } }

  /// The same bytes under another shape of as many elements.
  public func reshaped(_ shape: [Int]) -> Tensor {
    precondition(shape.reduce(1, *) == count)
    if storage == .string { return Tensor(strings: strings, shape: shape) }
    return Tensor(unchecked: element, shape, layout, bytes)
  }

  private init(unchecked element: TensorElement, _ shape: [Int], _ layout: PackedLayout?, _ bytes: ByteView) {
    self.element = element
    self.shape = shape
    self.layout = layout
    self.bytes = bytes
    strings = []
  }

  /// The elements as doubles, row-major, whatever the layout; block formats unpack.
  public func doubles() -> [Double] {
    switch element {
    case .plain(let type), .quantized(let type, _):
      return unpacked(TensorCoding.doubles(bytes, as: type, count: stored))
    case .block(let format): return format.unpack(bytes)
    }
  }

  /// The elements as integers, row-major; `u64` keeps its bit pattern. Floats convert towards zero, saturating.
  public func integers() -> [Int] {
    guard let type = storage else { return doubles().map { Int(saturating: $0) } }
    if type.isFloat { return doubles().map { Int(saturating: $0) } }
    return unpacked(TensorCoding.integers(bytes, as: type, count: stored))
  }

  private var stored: Int {
    guard let layout, let columns = shape.last, columns > 0 else { return count }
    return layout.storedElements(rows: count / columns, columns: columns)
  }

  private func unpacked<Number>(_ values: [Number]) -> [Number] {
    guard let layout, let columns = shape.last, columns > 0 else { return values }
    let rows = count / columns
    var result: [Number] = []
    result.reserveCapacity(count)
    for row in 0..<rows {
      for column in 0..<columns { result.append(values[layout.position(row: row, column: column, rows: rows)]) }
    }
    return result
  }
}

extension Int {
  /// Towards zero; out of range saturates; NaN gives zero.
  public init(saturating number: Double) {
    if number.isNaN {
      self = 0
    } else if number >= 9.2233720368547758e18 {
      self = Int.max
    } else if number <= -9.2233720368547758e18 {
      self = Int.min
    } else {
      self = Int(number)
    }
  }
}

/// A run-time value of `evaluate`.
public indirect enum Value: Hashable, Sendable {
  case tensor(Tensor)
  case sequence([Value])
  case optional(Value?)

  public var tensor: Tensor? {
    if case .tensor(let tensor) = self { tensor } else { nil }
  }
}
