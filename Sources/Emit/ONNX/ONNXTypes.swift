import Formats
import IR
import Support

extension ONNXType {
  /// The type of a value. An extent that is an expression has the expression for its name.
  init(_ type: ValueType) throws(Diagnostic) {
    switch type {
    case .sequence(let element): self = .sequence(of: try ONNXType(element))
    case .optional(let element): self = .optional(try ONNXType(element))
    case .anyTensor(let element):
      var tensor = ONNXTensorType(element, [])
      tensor.shape = nil
      self = ONNXType(tensor: tensor)
    case .tensor(let tensor):
      guard let element = tensor.element.storage, tensor.layout == nil else {
        throw .unsupported("the format has no tensors of type \(tensor)")
      }
      let dims = tensor.shape.map { dim in
        dim.constant.map { ONNXDimension($0) } ?? ONNXDimension(dim.symbolName ?? dim.description)
      }
      self = ONNXType(tensor: ONNXTensorType(element, dims))
    }
  }
}
