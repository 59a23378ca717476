import Support

/// Nodes in an order in which they can run, and what enters and leaves them.
public struct ONNXGraph: ProtobufMessage {
  public var nodes: [ONNXNode] = []
  public var name = ""
  public var initializers: [ONNXTensor] = []
  public var documentation = ""
  public var inputs: [ONNXValueInfo] = []
  public var outputs: [ONNXValueInfo] = []
  /// Types of inner values, as far as the writer knew them.
  public var valueInfo: [ONNXValueInfo] = []
  public var quantizationAnnotations: [ONNXTensorAnnotation] = []
  public var sparseInitializers: [ONNXSparseTensor] = []
  public var metadata: [ONNXStringEntry] = []
  public var wire = ProtobufWire()

  public init() {}

  public mutating func visit(_ fields: inout some ProtobufVisitor) {
    fields.messages(1, "node", &nodes)
    fields.string(2, "name", &name)
    fields.messages(5, "initializer", &initializers)
    fields.text(10, "doc_string", &documentation)
    fields.messages(11, "input", &inputs)
    fields.messages(12, "output", &outputs)
    fields.messages(13, "value_info", &valueInfo)
    fields.messages(14, "quantization_annotation", &quantizationAnnotations)
    fields.messages(15, "sparse_initializer", &sparseInitializers)
    fields.messages(16, "metadata_props", &metadata)
  }
}

/// Which tensors hold the quantization parameters of a tensor.
public struct ONNXTensorAnnotation: ProtobufMessage {
  public var tensorName = ""
  public var parameterNames: [ONNXStringEntry] = []
  public var wire = ProtobufWire()

  public init() {}

  public mutating func visit(_ fields: inout some ProtobufVisitor) {
    fields.string(1, "tensor_name", &tensorName)
    fields.messages(2, "quant_parameter_tensor_names", &parameterNames)
  }
}
