import Support

/// A key and its value.
public struct ONNXStringEntry: ProtobufMessage {
  public var key = ""
  public var value = ""
  public var wire = ProtobufWire()

  public init() {}

  public init(_ key: String, _ value: String) {
    self.key = key
    self.value = value
  }

  public mutating func visit(_ fields: inout some ProtobufVisitor) {
    fields.string(1, "key", &key)
    fields.text(2, "value", &value)
  }
}

/// Which version of a domain's operators a model or a function speaks.
public struct ONNXOperatorSet: ProtobufMessage {
  public var domain = ""
  public var version = 0
  public var wire = ProtobufWire()

  public init() {}

  public init(_ domain: String, _ version: Int) {
    self.domain = domain
    self.version = version
  }

  public mutating func visit(_ fields: inout some ProtobufVisitor) {
    fields.string(1, "domain", &domain)
    fields.int(2, "version", &version)
  }
}

extension [ONNXOperatorSet] {
  /// The version that `domain` has here; "" and "ai.onnx" name the same domain.
  public func version(of domain: String) -> Int? {
    let plain = { (name: String) in name == "ai.onnx" ? "" : name }
    return first { plain($0.domain) == plain(domain) }?.version
  }
}
