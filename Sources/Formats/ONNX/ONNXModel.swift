import Support

/// A whole model: the outermost message of a file.
public struct ONNXModel: ProtobufMessage {
  public var irVersion = 0
  public var producerName = ""
  public var producerVersion = ""
  public var domain = ""
  public var modelVersion = 0
  public var documentation = ""
  private var graphBox: [ONNXGraph] = []
  public var operatorSets: [ONNXOperatorSet] = []
  public var metadata: [ONNXStringEntry] = []
  public var functions: [ONNXFunction] = []
  public var wire = ProtobufWire()

  public init() {}

  public var graph: ONNXGraph {
    get { graphBox.first ?? ONNXGraph() }
    set { graphBox = [newValue] }
  }

  /// The version of the operator set that `domain` has in this model; "" and "ai.onnx" are the same one.
  public func operatorSetVersion(of domain: String = "") -> Int? {
    operatorSets.version(of: domain)
  }

  public mutating func visit(_ fields: inout some ProtobufVisitor) {
    fields.int(1, "ir_version", &irVersion)
    fields.text(2, "producer_name", &producerName)
    fields.text(3, "producer_version", &producerVersion)
    fields.string(4, "domain", &domain)
    fields.int(5, "model_version", &modelVersion)
    fields.text(6, "doc_string", &documentation)
    fields.boxed(7, "graph", &graphBox)
    fields.messages(8, "opset_import", &operatorSets)
    fields.messages(14, "metadata_props", &metadata)
    fields.messages(25, "functions", &functions)
  }

  // MARK: Reading

  /// Reads a model; its large tensors stay views of the mapped file.
  public static func read(path: String) throws(Diagnostic) -> ONNXModel {
    let file = try MappedFile(path: path)
    return try decode(file.view, file: ModelFile(path: path))
  }

  /// Reads a model from bytes. External data needs a `file` to be found beside.
  public static func decode(_ bytes: ByteView, name: String) throws(Diagnostic) -> ONNXModel {
    try decode(bytes, name: name, file: nil)
  }

  public static func decode(_ bytes: ByteView, file: ModelFile) throws(Diagnostic) -> ONNXModel {
    try decode(bytes, name: file.path, file: file)
  }

  private static func decode(_ bytes: ByteView, name: String, file: ModelFile?) throws(Diagnostic) -> ONNXModel {
    guard !bytes.isEmpty else { throw .invalid("is empty, not an ONNX model", at: Location(file: name)) }
    let model = try ProtobufDecoder.decode(ONNXModel.self, from: bytes, file: name, origin: file)
    guard !model.graphBox.isEmpty else {
      throw .invalid("holds no graph, so it is no ONNX model", at: Location(file: name))
    }
    return model
  }

  // MARK: Writing

  public func encode() -> [UInt8] { ProtobufEncoder.encode(self).bytes }

  /// Writes the model as one file, external data included. A reader of the format takes no file
  /// of 2 GiB or more: keep weights outside by `writeWithExternalData` then.
  public func write(to path: String) throws(Diagnostic) {
    try embeddingExternalData().encodedForFile(at: path).write(to: path)
  }

  /// The encoded model, if a file can hold it.
  func encodedForFile(at path: String) throws(Diagnostic) -> ProtobufOutput {
    let output = ProtobufEncoder.encode(self)
    guard output.count < 1 << 31 else {
      throw .invalid(
        "would take \(output.count) bytes, an ONNX file holds less than 2 GiB", at: Location(file: path),
        hint: "keep the weights in a file of their own")
    }
    return output
  }
}
