import IR

/// Which symbols of dims a thing mentions.
enum SymbolUses {
  static func symbols(of fact: ValueFact) -> Set<String> {
    var result = symbols(of: fact.type)
    for element in fact.elements ?? [] where element.constant == nil { result.formUnion(element.symbols) }
    return result
  }

  static func symbols(of type: ValueType) -> Set<String> {
    switch type {
    case .tensor(let tensor):
      var result: Set<String> = []
      for dim in tensor.shape where dim.constant == nil { result.formUnion(dim.symbols) }
      return result
    case .sequence(let element), .optional(let element): return symbols(of: element)
    case .anyTensor: return []
    }
  }

  /// The symbols in an op's attributes and guards; names that might be symbols count as such.
  static func symbols(of operation: Operation) -> Set<String> {
    var result: Set<String> = []
    for attribute in operation.kind.attributeList {
      switch attribute.value {
      case .dim(let dim): result.formUnion(dim.symbols)
      case .dims(let dims): for dim in dims { result.formUnion(dim.symbols) }
      case .type(let type?): result.formUnion(symbols(of: type))
      case .reference(let name): result.insert(name)
      case .references(let names): result.formUnion(names)
      default: break
      }
    }
    for check in operation.guards { result.formUnion(check.left.symbols.union(check.right.symbols)) }
    return result
  }
}
