import Support

/// A named constant of a node: `kind` says which of the values counts.
public struct ONNXAttribute: ProtobufMessage {
  public enum Kind: Int32, Sendable, CaseIterable {
    case undefined, float, int, string, tensor, graph, floats, ints, strings, tensors, graphs
    case sparseTensor, sparseTensors, type, types
  }

  public var name = ""
  public var float: Float = 0
  public var int = 0
  public var bytes: ByteView = .empty
  private var tensorBox: [ONNXTensor] = []
  private var graphBox: [ONNXGraph] = []
  public var floats: [Float] = []
  public var ints: [Int] = []
  public var byteStrings: [ByteView] = []
  public var tensors: [ONNXTensor] = []
  public var graphs: [ONNXGraph] = []
  public var documentation = ""
  private var typeBox: [ONNXType] = []
  public var types: [ONNXType] = []
  public var rawKind: Int32 = 0
  /// Inside a function: the attribute of the function that gives the value.
  public var reference = ""
  private var sparseTensorBox: [ONNXSparseTensor] = []
  public var sparseTensors: [ONNXSparseTensor] = []
  public var wire = ProtobufWire()

  public init() {}

  public mutating func visit(_ fields: inout some ProtobufVisitor) {
    fields.string(1, "name", &name)
    fields.float(2, "f", &float)
    fields.int(3, "i", &int)
    fields.bytes(4, "s", &bytes)
    fields.boxed(5, "t", &tensorBox)
    fields.boxed(6, "g", &graphBox)
    fields.floats(7, "floats", &floats)
    fields.ints(8, "ints", &ints)
    fields.byteRuns(9, "strings", &byteStrings)
    fields.messages(10, "tensors", &tensors)
    fields.messages(11, "graphs", &graphs)
    fields.text(13, "doc_string", &documentation)
    fields.boxed(14, "tp", &typeBox)
    fields.messages(15, "type_protos", &types)
    fields.int32(20, "type", &rawKind)
    fields.string(21, "ref_attr_name", &reference)
    fields.boxed(22, "sparse_tensor", &sparseTensorBox)
    fields.messages(23, "sparse_tensors", &sparseTensors)
  }

  public var tensor: ONNXTensor? {
    get { tensorBox.first }
    set { tensorBox = newValue.map { [$0] } ?? [] }
  }
  public var graph: ONNXGraph? {
    get { graphBox.first }
    set { graphBox = newValue.map { [$0] } ?? [] }
  }
  public var type: ONNXType? {
    get { typeBox.first }
    set { typeBox = newValue.map { [$0] } ?? [] }
  }
  public var sparseTensor: ONNXSparseTensor? {
    get { sparseTensorBox.first }
    set { sparseTensorBox = newValue.map { [$0] } ?? [] }
  }

  /// `bytes` as text, or nil where they are no UTF-8.
  public var string: String? { bytes.text }

  /// `byteStrings` as texts, or nil where one of them is no UTF-8.
  public var strings: [String]? {
    var texts: [String] = []
    for run in byteStrings {
      guard let text = run.text else { return nil }
      texts.append(text)
    }
    return texts
  }

  /// Which value counts. Files of the first versions of the format do not say; then it is the one that is there.
  public var kind: Kind {
    if let kind = Kind(rawValue: rawKind), kind != .undefined { return kind }
    if wire.has(2) { return .float }
    if wire.has(3) { return .int }
    if wire.has(4) { return .string }
    if !tensorBox.isEmpty { return .tensor }
    if !graphBox.isEmpty { return .graph }
    if !floats.isEmpty { return .floats }
    if !ints.isEmpty { return .ints }
    if !byteStrings.isEmpty { return .strings }
    if !tensors.isEmpty { return .tensors }
    if !graphs.isEmpty { return .graphs }
    return .undefined
  }
}

// MARK: Making attributes

extension ONNXAttribute {
  private init(_ name: String, _ kind: Kind, field: UInt32) {
    self.name = name
    self.rawKind = kind.rawValue
    // A value of zero is still the value.
    wire.mark(field)
  }

  public init(_ name: String, float: Float) {
    self.init(name, .float, field: 2)
    self.float = float
  }
  public init(_ name: String, int: Int) {
    self.init(name, .int, field: 3)
    self.int = int
  }
  public init(_ name: String, string: String) {
    self.init(name, .string, field: 4)
    self.bytes = ByteView(utf8: string)
  }
  public init(_ name: String, tensor: ONNXTensor) {
    self.init(name, .tensor, field: 5)
    self.tensor = tensor
  }
  public init(_ name: String, graph: ONNXGraph) {
    self.init(name, .graph, field: 6)
    self.graph = graph
  }
  public init(_ name: String, type: ONNXType) {
    self.init(name, .type, field: 14)
    self.type = type
  }
  public init(_ name: String, floats: [Float]) {
    self.init(name, .floats, field: 7)
    self.floats = floats
  }
  public init(_ name: String, ints: [Int]) {
    self.init(name, .ints, field: 8)
    self.ints = ints
  }
  public init(_ name: String, strings: [String]) {
    self.init(name, .strings, field: 9)
    self.byteStrings = strings.map { ByteView(utf8: $0) }
  }
}
