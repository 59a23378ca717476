import Support

/// The type of a value: a tensor, or something built of tensors.
public struct ONNXType: ProtobufMessage {
  public var tensor: ONNXTensorType?
  private var sequenceBox: [ONNXElementType] = []
  private var mapBox: [ONNXMapType] = []
  public var denotation = ""
  public var opaque: ONNXOpaqueType?
  public var sparseTensor: ONNXTensorType?
  private var optionalBox: [ONNXElementType] = []
  public var wire = ProtobufWire()

  public init() {}

  public init(tensor: ONNXTensorType) { self.tensor = tensor }

  public static func sequence(of element: ONNXType) -> ONNXType {
    var type = ONNXType()
    type.sequenceBox = [ONNXElementType(element)]
    return type
  }

  public static func optional(_ element: ONNXType) -> ONNXType {
    var type = ONNXType()
    type.optionalBox = [ONNXElementType(element)]
    return type
  }

  /// What a sequence holds; nil where this is none.
  public var sequenceElement: ONNXType? { sequenceBox.first.map { $0.element ?? ONNXType() } }
  /// What an optional value holds; nil where this is none.
  public var optionalElement: ONNXType? { optionalBox.first.map { $0.element ?? ONNXType() } }
  public var map: ONNXMapType? { mapBox.first }

  public mutating func visit(_ fields: inout some ProtobufVisitor) {
    fields.message(1, "tensor_type", &tensor)
    fields.boxed(4, "sequence_type", &sequenceBox)
    fields.boxed(5, "map_type", &mapBox)
    fields.string(6, "denotation", &denotation)
    fields.message(7, "opaque_type", &opaque)
    fields.message(8, "sparse_tensor_type", &sparseTensor)
    fields.boxed(9, "optional_type", &optionalBox)
  }
}

public struct ONNXTensorType: ProtobufMessage {
  public var rawType: Int32 = 0
  /// Nil where not even the rank is known.
  public var shape: ONNXShape?
  public var wire = ProtobufWire()

  public init() {}

  public init(_ type: ElementType, _ dimensions: [ONNXDimension]?) {
    rawType = ONNXDataType(type).rawValue
    shape = dimensions.map { ONNXShape($0) }
  }

  public var elementType: ElementType? { ONNXDataType(rawValue: rawType)?.elementType }

  public mutating func visit(_ fields: inout some ProtobufVisitor) {
    fields.int32(1, "elem_type", &rawType)
    fields.message(2, "shape", &shape)
  }
}

public struct ONNXShape: ProtobufMessage {
  public var dimensions: [ONNXDimension] = []
  public var wire = ProtobufWire()

  public init() {}

  public init(_ dimensions: [ONNXDimension]) { self.dimensions = dimensions }

  public mutating func visit(_ fields: inout some ProtobufVisitor) {
    fields.messages(1, "dim", &dimensions)
  }
}

/// One extent: a number, a name, or nothing known.
public struct ONNXDimension: ProtobufMessage {
  public var value: Int?
  public var parameter: String?
  public var denotation = ""
  public var wire = ProtobufWire()

  public init() {}

  public init(_ value: Int) { self.value = value }
  public init(_ parameter: String) { self.parameter = parameter }

  public mutating func visit(_ fields: inout some ProtobufVisitor) {
    fields.optionalInt(1, "dim_value", &value)
    fields.optionalString(2, "dim_param", &parameter)
    fields.string(3, "denotation", &denotation)
  }
}

/// The inside of a sequence or of an optional value.
struct ONNXElementType: ProtobufMessage {
  private var box: [ONNXType] = []
  var wire = ProtobufWire()

  init() {}

  init(_ element: ONNXType) { box = [element] }

  var element: ONNXType? { box.first }

  mutating func visit(_ fields: inout some ProtobufVisitor) {
    fields.boxed(1, "elem_type", &box)
  }
}

public struct ONNXMapType: ProtobufMessage {
  public var rawKeyType: Int32 = 0
  private var valueBox: [ONNXType] = []
  public var wire = ProtobufWire()

  public init() {}

  public var value: ONNXType? { valueBox.first }

  public mutating func visit(_ fields: inout some ProtobufVisitor) {
    fields.int32(1, "key_type", &rawKeyType)
    fields.boxed(2, "value_type", &valueBox)
  }
}

public struct ONNXOpaqueType: ProtobufMessage {
  public var domain = ""
  public var name = ""
  public var wire = ProtobufWire()

  public init() {}

  public mutating func visit(_ fields: inout some ProtobufVisitor) {
    fields.string(1, "domain", &domain)
    fields.string(2, "name", &name)
  }
}
