import Support

extension TensorType {
  /// More axes than any format has; keeps work on shapes bounded.
  public static let rankLimit = 64
  /// No extent and no tensor's size in bytes is larger.
  static let sizeLimit = 1 << 48

  /// Checks what holds for every tensor type, whoever made it.
  public func check() throws(Diagnostic) {
    guard rank <= TensorType.rankLimit else {
      throw .invalid("a tensor has \(rank) axes, more than \(TensorType.rankLimit)")
    }
    for dim in shape {
      if let value = dim.constant, value < 0 { throw .invalid("\(self) has a negative extent") }
      guard dim.isWithin(TensorType.sizeLimit) else { throw .invalid("\(self) has too large an extent") }
    }
    if let layout {
      guard rank >= 2, element.storage != nil, element.storage != .string else {
        throw .invalid("\(self): only matrices of numbers have a packed layout")
      }
      guard (1...4096).contains(layout.columns), (1...256).contains(layout.group) else {
        throw .invalid("\(self): panels have 1 to 4096 columns and groups of 1 to 256")
      }
    }
    guard constantShape != nil else { return }
    guard let bytes = constantBytes, bytes <= TensorType.sizeLimit else {
      throw .invalid("\(self) is too large or its rows do not fit its blocks")
    }
  }
}

extension ValueType {
  /// Checks every tensor type inside; nesting is bounded by whoever built the type.
  public func check() throws(Diagnostic) {
    switch self {
    case .tensor(let type): try type.check()
    case .sequence(let element), .optional(let element): try element.check()
    case .anyTensor: break
    }
  }
}
