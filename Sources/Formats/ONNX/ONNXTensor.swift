import Support

/// A constant tensor, its elements where the file has them.
public struct ONNXTensor: ProtobufMessage {
  public var dims: [Int] = []
  public var rawType: Int32 = 0
  public var segment: ONNXSegment?
  public var floatData = ProtobufNumbers(.fixed32)
  public var int32Data = ProtobufNumbers(.varint)
  public var stringData: [ByteView] = []
  public var int64Data = ProtobufNumbers(.varint)
  public var name = ""
  public var rawData: ByteView = .empty
  public var doubleData = ProtobufNumbers(.fixed64)
  public var uint64Data = ProtobufNumbers(.varint)
  public var documentation = ""
  public var externalData: [ONNXStringEntry] = []
  public var rawLocation: Int32 = 0
  public var metadata: [ONNXStringEntry] = []
  /// Where external data is looked for; nil for a model that came from memory.
  public var file: ModelFile?
  public var wire = ProtobufWire()

  public init() {}

  /// A tensor of packed elements, low bits and low bytes first.
  public init(_ name: String, _ type: ElementType, dims: [Int], data: ByteView) {
    self.name = name
    self.rawType = ONNXDataType(type).rawValue
    self.dims = dims
    self.rawData = data
    // An empty tensor has data too: none.
    wire.mark(9)
  }

  public init(_ name: String, strings: [String], dims: [Int]) {
    self.name = name
    self.rawType = ONNXDataType.string.rawValue
    self.dims = dims
    self.stringData = strings.map { ByteView(utf8: $0) }
  }

  /// Nil where the format knows the type and we do not; `bytes` says so then.
  public var elementType: ElementType? { ONNXDataType(rawValue: rawType)?.elementType }

  public var isExternal: Bool { rawLocation == 1 }

  public mutating func visit(_ fields: inout some ProtobufVisitor) {
    fields.origin(&file)
    fields.ints(1, "dims", &dims)
    fields.int32(2, "data_type", &rawType)
    fields.message(3, "segment", &segment)
    fields.numbers(4, "float_data", &floatData)
    fields.numbers(5, "int32_data", &int32Data)
    fields.byteRuns(6, "string_data", &stringData)
    fields.numbers(7, "int64_data", &int64Data)
    fields.string(8, "name", &name)
    fields.bytes(9, "raw_data", &rawData)
    fields.numbers(10, "double_data", &doubleData)
    fields.numbers(11, "uint64_data", &uint64Data)
    fields.text(12, "doc_string", &documentation)
    fields.messages(13, "external_data", &externalData)
    fields.int32(14, "data_location", &rawLocation)
    fields.messages(16, "metadata_props", &metadata)
  }
}

/// A part of a tensor that is spread over several messages; nobody writes it.
public struct ONNXSegment: ProtobufMessage {
  public var begin = 0
  public var end = 0
  public var wire = ProtobufWire()

  public init() {}

  public mutating func visit(_ fields: inout some ProtobufVisitor) {
    fields.int(1, "begin", &begin)
    fields.int(2, "end", &end)
  }
}

/// A tensor of which only the elements that differ from zero are stored.
public struct ONNXSparseTensor: ProtobufMessage {
  public var values: ONNXTensor?
  /// Linear positions, or one row of coordinates a value.
  public var indices: ONNXTensor?
  public var dims: [Int] = []
  public var wire = ProtobufWire()

  public init() {}

  public mutating func visit(_ fields: inout some ProtobufVisitor) {
    fields.message(1, "values", &values)
    fields.message(2, "indices", &indices)
    fields.ints(3, "dims", &dims)
  }
}
