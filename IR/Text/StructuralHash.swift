import Support

extension Module {
  /// Equal for modules that print alike and have the same weights, in this process and any other.
  public var structuralHash: ContentHash {
    var hasher = ContentHasher()
    hasher.add(text(inlineLimit: 0))
    for weight in weights { hasher.add(weight.tensor.bytes) }
    return hasher.finish()
  }

  /// The same text and the same bytes in the weights; ids may differ.
  public func isStructurallyEqual(to other: Module) -> Bool {
    weights.count == other.weights.count && text(inlineLimit: 0) == other.text(inlineLimit: 0)
      && zip(weights, other.weights).allSatisfy { $0.tensor == $1.tensor }
  }
}
