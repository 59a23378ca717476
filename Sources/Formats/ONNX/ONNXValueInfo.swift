import Support

/// The name and type of an input, an output or an inner value.
public struct ONNXValueInfo: ProtobufMessage {
  public var name = ""
  private var typeBox: [ONNXType] = []
  public var documentation = ""
  public var metadata: [ONNXStringEntry] = []
  public var wire = ProtobufWire()

  public init() {}

  public init(_ name: String, _ type: ONNXType) {
    self.name = name
    self.typeBox = [type]
  }

  public init(_ name: String, _ type: ElementType, _ dimensions: [ONNXDimension]?) {
    self.init(name, ONNXType(tensor: ONNXTensorType(type, dimensions)))
  }

  public var type: ONNXType? {
    get { typeBox.first }
    set { typeBox = newValue.map { [$0] } ?? [] }
  }

  public mutating func visit(_ fields: inout some ProtobufVisitor) {
    fields.string(1, "name", &name)
    fields.boxed(2, "type", &typeBox)
    fields.text(3, "doc_string", &documentation)
    fields.messages(4, "metadata_props", &metadata)
  }
}
