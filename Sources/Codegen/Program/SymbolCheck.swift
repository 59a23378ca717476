import IR
import Support

/// Every symbol that a program computes with must get a value: from an input's shape, or from a step.
struct SymbolCheck {
  private var given: Set<String>
  private var used: Set<String> = []

  /// The first symbol, by name, that nothing determines.
  static func undetermined(_ steps: [Step], _ buffers: [Buffer], given: Set<String>) -> String? {
    var check = SymbolCheck(given: given)
    check.walk(steps)
    for buffer in buffers { check.used.formUnion(buffer.bytes.symbols) }
    return check.used.subtracting(check.given).min()
  }

  private init(given: Set<String>) { self.given = given }

  private mutating func walk(_ steps: [Step]) {
    for step in steps {
      switch step {
      case .dispatch(let dispatch):
        for scalar in dispatch.scalars + [dispatch.parallelism] { used.formUnion(scalar.symbols) }
      case .call(let call): for scalar in call.scalars { used.formUnion(scalar.symbols) }
      case .bindSymbol(let name, _, _, _): given.insert(name)
      case .setSymbol(let name, let value):
        given.insert(name)
        used.formUnion(value.symbols)
      case .require(let left, let right, _): used.formUnion(left.symbols.union(right.symbols))
      case .copy(_, _, let bytes), .fill(_, let bytes): used.formUnion(bytes.symbols)
      case .deliver(_, _, let dims): for dim in dims { used.formUnion(dim.symbols) }
      case .storeIndex(let value, _, _): used.formUnion(value.symbols)
      case .storeByte: break
      case .ifElse(_, let then, let otherwise):
        walk(then)
        walk(otherwise)
      case .loop(let counter, _, _, let growing, let body):
        given.insert(counter)
        for list in growing { used.formUnion(list.bytes.symbols) }
        walk(body)
      }
    }
  }
}
