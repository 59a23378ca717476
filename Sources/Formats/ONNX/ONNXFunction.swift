import Support

/// An operator that the model defines by other operators.
public struct ONNXFunction: ProtobufMessage {
  public var name = ""
  public var inputs: [String] = []
  public var outputs: [String] = []
  /// Attributes that every call must give.
  public var attributes: [String] = []
  public var nodes: [ONNXNode] = []
  public var documentation = ""
  public var operatorSets: [ONNXOperatorSet] = []
  public var domain = ""
  /// Attributes with the values they have where a call gives none.
  public var attributeDefaults: [ONNXAttribute] = []
  public var valueInfo: [ONNXValueInfo] = []
  public var overload = ""
  public var metadata: [ONNXStringEntry] = []
  public var wire = ProtobufWire()

  public init() {}

  public mutating func visit(_ fields: inout some ProtobufVisitor) {
    fields.string(1, "name", &name)
    fields.strings(4, "input", &inputs)
    fields.strings(5, "output", &outputs)
    fields.strings(6, "attribute", &attributes)
    fields.messages(7, "node", &nodes)
    fields.text(8, "doc_string", &documentation)
    fields.messages(9, "opset_import", &operatorSets)
    fields.string(10, "domain", &domain)
    fields.messages(11, "attribute_proto", &attributeDefaults)
    fields.messages(12, "value_info", &valueInfo)
    fields.string(13, "overload", &overload)
    fields.messages(14, "metadata_props", &metadata)
  }
}
