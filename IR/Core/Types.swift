import Support

/// What one element of a tensor is.
public enum TensorElement: Hashable, Sendable {
  case plain(ElementType)
  /// Integers that stand for `scale * (value - zeroPoint)`, with parameters interned in the module by name.
  case quantized(ElementType, String)
  case block(BlockFormat)

  /// The type of plain elements; nil for others.
  public var plain: ElementType? {
    switch self {
    case .plain(let type): type
    case .quantized, .block: nil
    }
  }

  /// The type in memory of plain and quantized elements.
  public var storage: ElementType? {
    switch self {
    case .plain(let type), .quantized(let type, _): type
    case .block: nil
    }
  }
}

public struct TensorType: Hashable, Sendable {
  public var element: TensorElement
  public var shape: [Dim]
  /// Nil for dense, row-major tensors.
  public var layout: PackedLayout?

  public init(_ element: TensorElement, _ shape: [Dim], layout: PackedLayout? = nil) {
    self.element = element
    self.shape = shape
    self.layout = layout
  }
  public init(_ element: ElementType, _ shape: [Dim]) { self.init(.plain(element), shape) }

  public var rank: Int { shape.count }

  /// The plain element type; nil for quantized and block tensors.
  public var plain: ElementType? { element.plain }

  public func with(shape: [Dim]) -> TensorType { TensorType(element, shape, layout: layout) }
  public func with(element: ElementType) -> TensorType { TensorType(.plain(element), shape) }

  /// The extents, when none depends on a symbol.
  public var constantShape: [Int]? {
    var result: [Int] = []
    for dim in shape {
      guard let value = dim.constant else { return nil }
      result.append(value)
    }
    return result
  }

  public var elementCount: Dim { shape.reduce(Dim(1), *) }

  /// Bytes in memory; nil when they depend on a symbol or overflow.
  public var constantBytes: Int? {
    guard let shape = constantShape else { return nil }
    return TensorType.bytes(element: element, shape: shape, layout: layout)
  }

  static func bytes(element: TensorElement, shape: [Int], layout: PackedLayout?) -> Int? {
    var count = 1
    for extent in shape {
      guard extent >= 0, extent <= sizeLimit else { return nil }
      // Counting an empty axis as 1 keeps every partial product of the extents, strides included, from overflow.
      let (product, overflow) = count.multipliedReportingOverflow(by: max(extent, 1))
      guard !overflow, product <= sizeLimit else { return nil }
      count = product
    }
    if shape.contains(0) { count = 0 }
    switch element {
    case .plain(let type), .quantized(let type, _):
      if let layout, shape.count >= 2, let columns = shape.last {
        guard (1...4096).contains(layout.columns), (1...64).contains(layout.group), count <= 1 << 48 else { return nil }
        let rows = columns == 0 ? 0 : count / columns
        return type.bytes(for: layout.storedElements(rows: rows, columns: columns))
      }
      return type.bytes(for: count)
    case .block(let format):
      guard let row = shape.last, row % format.valuesPerBlock == 0 else { return nil }
      return count / format.valuesPerBlock * format.bytesPerBlock
    }
  }
}

/// The type of an SSA value.
public indirect enum ValueType: Hashable, Sendable {
  case tensor(TensorType)
  /// Of members that fit the type: an extent that is a symbol there is open, in each member another.
  case sequence(ValueType)
  case optional(ValueType)
  /// A tensor of any shape: only as what a sequence or an optional value holds.
  case anyTensor(ElementType)

  public static func tensor(_ element: ElementType, _ shape: [Dim]) -> ValueType { .tensor(TensorType(element, shape)) }

  public var tensor: TensorType? {
    if case .tensor(let type) = self { type } else { nil }
  }

  /// What a sequence or an optional value holds.
  public var member: ValueType? {
    switch self {
    case .sequence(let member), .optional(let member): member
    case .tensor, .anyTensor: nil
    }
  }

  /// Whether a value of type `given` may stand where this type is expected, as a member or a whole.
  public func admits(_ given: ValueType) -> Bool {
    switch (self, given) {
    case (.tensor(let a), .tensor(let b)):
      a.element == b.element && a.layout == b.layout && a.rank == b.rank
        && zip(a.shape, b.shape).allSatisfy { $0 == $1 || $0.symbolName != nil }
    case (.anyTensor(let a), .tensor(let b)): b.plain == a && b.layout == nil
    case (.anyTensor(let a), .anyTensor(let b)): a == b
    case (.sequence(let a), .sequence(let b)), (.optional(let a), .optional(let b)): a.admits(b)
    default: false
    }
  }
}

/// What is known of a value: its type and, for small integer and bool tensors, the elements as expressions.
public struct ValueFact: Hashable, Sendable {
  public var type: ValueType
  /// One expression an element, row-major; only for integer and bool (0 or 1) tensors of at most `limit` elements.
  public var elements: [Dim]?

  public static let limit = 64

  public init(_ type: ValueType, elements: [Dim]? = nil) {
    self.type = type
    self.elements = elements
  }
  public init(_ type: TensorType) { self.init(.tensor(type)) }
  public init(_ element: ElementType, _ shape: [Dim]) { self.init(.tensor(element, shape)) }
}

/// Parameters of a quantized type: per tensor (one scale) or per axis (one scale an index of `axis`).
public struct QuantizationParameters: Hashable, Sendable {
  public var scales: [Float]
  public var zeroPoints: [Int]
  public var axis: Int?

  public init(scales: [Float], zeroPoints: [Int], axis: Int? = nil) {
    self.scales = scales
    self.zeroPoints = zeroPoints
    self.axis = axis
  }
}

extension TensorElement: CustomStringConvertible {
  /// `f32`, `i8<!q12>`, `q8_0`.
  public var description: String {
    switch self {
    case .plain(let type): type.rawValue
    case .quantized(let type, let name): "\(type.rawValue)<!\(MIRName.sigiled(name))>"
    case .block(let format): format.name
    }
  }
}

extension TensorType: CustomStringConvertible {
  /// `f32[n, 256]`, `q8_0[64, 256] @panels32`.
  public var description: String {
    let text = "\(element)[\(shape.map(\.description).joined(separator: ", "))]"
    return layout.map { "\(text) \($0)" } ?? text
  }
}

extension ValueType: CustomStringConvertible {
  public var description: String {
    switch self {
    case .tensor(let type): type.description
    case .sequence(let element): "seq<\(element)>"
    case .optional(let element): "optional<\(element)>"
    case .anyTensor(let element): "\(element.rawValue)[*]"
    }
  }
}
