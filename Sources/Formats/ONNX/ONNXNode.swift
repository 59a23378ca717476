import Support

/// One call of an operator or of a function of the model.
public struct ONNXNode: ProtobufMessage {
  /// Names of values; "" stands for an optional one that is left out.
  public var inputs: [String] = []
  public var outputs: [String] = []
  public var name = ""
  public var operatorType = ""
  public var attributes: [ONNXAttribute] = []
  public var documentation = ""
  public var domain = ""
  public var overload = ""
  public var metadata: [ONNXStringEntry] = []
  public var wire = ProtobufWire()

  public init() {}

  public init(
    _ operatorType: String, domain: String = "", name: String = "", inputs: [String], outputs: [String],
    attributes: [ONNXAttribute] = []
  ) {
    self.operatorType = operatorType
    self.domain = domain
    self.name = name
    self.inputs = inputs
    self.outputs = outputs
    self.attributes = attributes
  }

  public func attribute(_ name: String) -> ONNXAttribute? { attributes.first { $0.name == name } }

  public mutating func visit(_ fields: inout some ProtobufVisitor) {
    fields.strings(1, "input", &inputs)
    fields.strings(2, "output", &outputs)
    fields.string(3, "name", &name)
    fields.string(4, "op_type", &operatorType)
    fields.messages(5, "attribute", &attributes)
    fields.text(6, "doc_string", &documentation)
    fields.string(7, "domain", &domain)
    fields.string(8, "overload", &overload)
    fields.messages(9, "metadata_props", &metadata)
  }
}
