import IR
import Support

/// What occurs in the cases, and what does not.
struct Survey {
  private var ops: Set<String> = []
  /// By op and attribute: the values that occur, and the words of those that have few.
  private var seen: [String: Set<String>] = [:]
  private var words: [String: Set<String>] = [:]
  /// By op and optional operand: whether it is there.
  private var optionals: [String: Set<Bool>] = [:]
  /// Element types of each op's first operand.
  private var types: [String: Set<ElementType>] = [:]

  private static let result: Result<Survey, any Error> = .init {
    var survey = Survey()
    for item in OracleCase.byOp.values.joined() {
      for function in try item.module().functions { try survey.visit(function) }
    }
    return survey
  }

  static var all: Survey { get throws { try result.get() } }

  /// One line a gap, as `uncovered.txt` lists them.
  var gaps: Set<String> {
    var gaps: Set<String> = []
    for op in OpRegistry.mnemonics where !ops.contains(op) { gaps.insert("op \(op)") }
    for (attribute, all) in words {
      for word in all.subtracting(seen[attribute] ?? []) { gaps.insert("word \(attribute) = \(word)") }
    }
    for (attribute, values) in seen where words[attribute] == nil && values.count < 2 {
      gaps.insert("values \(attribute) is always the same")
    }
    for (operand, presences) in optionals where presences.count < 2 {
      gaps.insert("operand \(operand) is \(presences.contains(true) ? "always" : "never") there")
    }
    for (op, types) in types {
      for group in Survey.groups where group.contains(where: { types.contains($0) }) {
        let missing = group.filter { !types.contains($0) }.map(\.rawValue)
        if !missing.isEmpty { gaps.insert("types \(op): \(missing.joined(separator: " "))") }
      }
    }
    return gaps
  }

  /// An op that takes one of a group, as a rule takes all of it.
  private static let groups: [[ElementType]] = [
    [.f16, .bf16, .f32, .f64], [.i8, .u8, .i16, .u16, .i32, .u32, .i64, .u64],
  ]

  private mutating func visit(_ function: Function) throws(Diagnostic) {
    for id in function.allOps() {
      var kind = function[id].kind
      let op = kind.mnemonic
      ops.insert(op)
      var recorder = AttributeRecorder()
      try kind.attributes(&recorder)
      for (name, value) in recorder.values { seen["\(op).\(name)", default: []].insert(value) }
      for (name, all) in recorder.words { words["\(op).\(name)"] = all }
      let operands = function[id].operands
      for (place, specification) in kind.signature.enumerated() where specification.multiplicity == .optional {
        let isThere = place < operands.count && operands[place] != nil
        optionals["\(op).\(specification.name)", default: []].insert(isThere)
      }
      if let first = operands.first, let value = first, let type = function.type(value).tensor?.plain {
        types[op, default: []].insert(type)
      }
    }
  }
}

/// Writes down the attributes of one op.
private struct AttributeRecorder: AttributeVisitor {
  var values: [String: String] = [:]
  var words: [String: Set<String>] = [:]

  mutating func int(_ name: String, _ value: inout Int) { values[name] = "\(value)" }
  mutating func float(_ name: String, _ value: inout Double) { values[name] = "\(value)" }
  mutating func bool(_ name: String, _ value: inout Bool) {
    values[name] = "\(value)"
    words[name] = ["true", "false"]
  }
  mutating func string(_ name: String, _ value: inout String) { values[name] = value }
  mutating func ints(_ name: String, _ value: inout [Int]) { values[name] = "\(value)" }
  mutating func dim(_ name: String, _ value: inout Dim) { values[name] = "\(value)" }
  mutating func dims(_ name: String, _ value: inout [Dim]) { values[name] = "\(value)" }
  mutating func strings(_ name: String, _ value: inout [String]) { values[name] = "\(value)" }
  mutating func element(_ name: String, _ value: inout TensorElement) { values[name] = "\(value)" }
  mutating func type(_ name: String, _ value: inout ValueType?) { values[name] = "\(String(describing: value))" }
  mutating func tensor(_ name: String, _ value: inout Tensor?) { values[name] = "\(String(describing: value?.type))" }
  mutating func reference(_ name: String, _ value: inout String) { values[name] = value }
  mutating func references(_ name: String, _ value: inout [String]) { values[name] = "\(value)" }
  mutating func choice<Choice: RawRepresentable & CaseIterable & Hashable>(
    _ name: String, _ value: inout Choice
  ) where Choice.RawValue == String {
    values[name] = value.rawValue
    words[name] = Set(Choice.allCases.map(\.rawValue))
  }
}
