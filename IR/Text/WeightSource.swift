import Support

/// Where the weights live that the text only names: a container beside it, a model file.
public protocol WeightSource {
  /// The tensor called `name`, or nil when there is none. `type` is what the text says it is; the parser checks it.
  func weight(named name: String, type: TensorType) throws(Diagnostic) -> Tensor?
}

/// Zeros for every weight: enough to look at a module or to transform it when its weights are elsewhere.
public struct ShapeOnlyWeights: WeightSource {
  /// A text may claim any size; more bytes than this a weight are refused.
  private let limit: Int
  public init(limit: Int = 1 << 30) { self.limit = limit }

  public func weight(named name: String, type: TensorType) throws(Diagnostic) -> Tensor? {
    guard let shape = type.constantShape, let bytes = type.constantBytes, bytes <= limit else {
      throw .invalid("weight @\(MIRName.sigiled(name)) is too large to stand in for", hint: "give its weights file")
    }
    if type.element.storage == .string {
      return Tensor(strings: Array(repeating: [], count: shape.reduce(1, *)), shape: shape)
    }
    return try Tensor(
      element: type.element, shape: shape, layout: type.layout, bytes: ByteView(count: bytes) { _ in })
  }
}
