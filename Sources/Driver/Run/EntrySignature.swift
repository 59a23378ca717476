import Codegen
import IR
import Support

/// What an entry takes and gives, whether it comes from a graph or from an artifact.
struct EntrySignature: Sendable {
  var name: String
  var inputs: [PortSignature]
  var outputs: [PortSignature]
  /// The open dimensions, with the values they may take.
  var symbols: [Symbol]

  func input(_ name: String) -> PortSignature? { inputs.first { $0.name == name } }
}

struct PortSignature: Sendable {
  var name: String
  /// Nil for sequences and optional values, and for types that no interface has.
  var element: TensorElement?
  /// The type of a sequence or an optional value.
  var list: ValueType?
  var dims: [PortDim]
  /// The integers that make sense here, where the model says so.
  var accepts: Range<Int>?

  /// `f32[n, 256]`.
  var typeText: String {
    if let list { return "\(list)" }
    let dims = dims.map(\.text).joined(separator: ", ")
    return "\(element?.description ?? "?")[\(dims)]"
  }

  /// Refuses what is no tensor.
  func requireTensor(_ role: String) throws(Diagnostic) -> TensorElement {
    guard let element, element.storage != nil else {
      throw .unsupported("\(role) \(name): only tensors can be passed here")
    }
    return element
  }

  func requirePassable(_ role: String) throws(Diagnostic) {
    if list == nil { _ = try requireTensor(role) }
  }

  /// What the tensors inside of all lists hold.
  func innermost() throws(Diagnostic) -> TensorElement {
    var type = list
    while let member = type?.member { type = member }
    switch type {
    case .anyTensor(let element): return .plain(element)
    case .tensor(let tensor): return tensor.element
    default: return try requireTensor("input")
    }
  }

  /// Whether a value may be given as nothing at all.
  var isOptional: Bool { if case .optional = list { true } else { false } }
}

/// How an extent is known before a run.
enum PortDim: Sendable {
  case constant(Int)
  case symbol(String)
  case expression(String, @Sendable ([String: Int]) -> Int?)
  /// Depends on data.
  case unknown

  var text: String {
    switch self {
    case .constant(let value): "\(value)"
    case .symbol(let name): name
    case .expression(let text, _): text
    case .unknown: "?"
    }
  }

  func value(_ symbols: [String: Int]) -> Int? {
    switch self {
    case .constant(let value): value
    case .symbol(let name): symbols[name]
    case .expression(_, let evaluate): evaluate(symbols)
    case .unknown: nil
    }
  }
}

extension EntrySignature {
  /// The signature of a graph's entry.
  init(_ function: Function, of module: Module) {
    name = function.name
    let body = function[function.body]
    inputs = body.arguments.enumerated().map { number, argument in
      PortSignature(function[argument].name ?? "input\(number)", function.type(argument))
    }
    outputs = zip(function.resultNames, body.yields).map { name, value in
      PortSignature(name, function.type(value))
    }
    var used: Set<String> = []
    for argument in body.arguments {
      for dim in function.tensorType(argument)?.shape ?? [] { used.formUnion(dim.symbols) }
    }
    symbols = module.symbols.filter { used.contains($0.name) }
    for (number, range) in IndexRanges.of(function) { inputs[number].accepts = range }
  }
}

extension PortSignature {
  init(_ name: String, _ type: ValueType) {
    self.name = name
    element = type.tensor?.element
    list = type.member == nil ? nil : type
    dims = (type.tensor?.shape ?? []).map { dim in
      if let constant = dim.constant { return .constant(constant) }
      if let symbol = dim.symbolName { return .symbol(symbol) }
      return .expression(dim.description) { dim.evaluate($0) }
    }
  }
}

/// The entry called `name`, or the first.
func pickEntry(_ name: String?, among entries: [EntrySignature]) throws(Diagnostic) -> Int {
  guard let name else {
    guard !entries.isEmpty else { throw .invalid("the model has no entry") }
    return 0
  }
  guard let number = entries.firstIndex(where: { $0.name == name }) else {
    throw .usage("there is no entry \(name)", hint: choiceHint(for: name, among: entries.map(\.name)))
  }
  return number
}

extension PortSignature {
  /// Whether an array of this name is the port's value or one of its members.
  func owns(_ array: String) -> Bool {
    if array == name { return true }
    guard list != nil, array.hasPrefix(name + ".") else { return false }
    return Int(array.dropFirst(name.count + 1)) != nil
  }
}
