import IR
import Support

// Types of lists whose members are not in sight: extents in which members may differ are open, and so is the rank.

extension ONNXImporter {
  /// The symbol that stands for an open extent in the type of a list. It never has a value.
  func openExtent() -> Dim {
    if !builder.module.symbols.contains(where: { $0.name == "any" }) {
      builder.module.declare(symbol: "any", in: 0...ONNXNodeContext.largestExtent)
    }
    return Dim(symbol: "any")
  }

  /// The type with every extent open that is not a number.
  func opened(_ type: ValueType) -> ValueType {
    switch type {
    case .tensor(let tensor):
      .tensor(tensor.with(shape: tensor.shape.map { $0.constant == nil ? openExtent() : $0 }))
    case .sequence(let member): .sequence(opened(member))
    case .optional(let member): .optional(opened(member))
    case .anyTensor: type
    }
  }

  /// The narrowest type that takes values of both; nil where there is none.
  func joined(_ a: ValueType, _ b: ValueType) -> ValueType? {
    if a == b { return a }
    switch (a, b) {
    case (.tensor(let x), .tensor(let y)):
      guard x.element == y.element, x.layout == nil, y.layout == nil else { return nil }
      guard x.rank == y.rank else { return x.plain.map { .anyTensor($0) } }
      return .tensor(x.with(shape: zip(x.shape, y.shape).map { $0 == $1 && $0.constant != nil ? $0 : openExtent() }))
    case (.anyTensor(let element), .tensor(let tensor)), (.tensor(let tensor), .anyTensor(let element)):
      return tensor.plain == element ? .anyTensor(element) : nil
    case (.sequence(let x), .sequence(let y)): return joined(x, y).map { .sequence($0) }
    case (.optional(let x), .optional(let y)): return joined(x, y).map { .optional($0) }
    case (.optional(let x), let y), (let y, .optional(let x)): return joined(x, y).map { .optional($0) }
    default: return nil
    }
  }
}

extension ONNXNodeContext {
  func opened(_ type: ValueType) -> ValueType { importer.opened(type) }

  func joined(_ a: ValueType, _ b: ValueType) throws(Diagnostic) -> ValueType {
    guard let type = importer.joined(a, b) else {
      throw .unsupported("a sequence of \(a) and \(b) is not supported: only extents may differ")
    }
    return type
  }

  /// What the members of a list are.
  func member(of list: ValueID) throws(Diagnostic) -> ValueType {
    guard case .sequence(let member) = fact(list).type else {
      throw .invalid("an input is \(fact(list).type), expected a sequence")
    }
    return member
  }

  /// Symbols for the extents that a member's type leaves open; empty where it leaves none.
  func openShape(_ member: ValueType) throws(Diagnostic) -> [Dim] {
    switch member {
    case .anyTensor:
      throw .unsupported("the rank of a member is known only when it runs", hint: "give the shape of an input")
    case .tensor(let type) where type.shape.contains { $0.symbolName != nil }:
      return type.shape.map { $0.symbolName == nil ? $0 : freshSymbol("member") }
    default: return []
    }
  }

  /// The same list or optional value under a wider type; what is none becomes one that is there.
  func widened(_ value: ValueID, to type: ValueType) throws(Diagnostic) -> ValueID {
    let own = fact(value).type
    if own == type { return value }
    if case .optional(let member) = type, own.optionalMember == nil {
      return try add(OptionalMake(element: member), try widened(value, to: member))
    }
    return type.member == nil ? value : try add(Widen(to: type), value)
  }
}

extension ValueType {
  /// What an optional value holds; nil for all else.
  var optionalMember: ValueType? { if case .optional(let member) = self { member } else { nil } }
}
