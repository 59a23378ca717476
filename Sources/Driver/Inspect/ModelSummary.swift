import CommandLineKit
import IR
import Support

/// A graph in figures: what goes in and out, what it holds and how much it computes.
struct ModelSummary {
  private let module: Module
  private let path: String

  init(_ module: Module, path: String) {
    self.module = module
    self.path = path
  }

  var name: String { module.name }
  private var parameters: Int { module.weights.reduce(0) { $0 + $1.tensor.count } }
  private var weightBytes: Int { module.weights.reduce(0) { $0 + $1.tensor.bytes.count } }

  /// Ops by name, the most frequent first.
  var ops: [(name: String, count: Int)] {
    var counts: [String: Int] = [:]
    for function in module.functions {
      for id in function.allOps() { counts[function[id].kind.mnemonic, default: 0] += 1 }
    }
    return counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map { ($0.key, $0.value) }
  }

  /// One op of an entry or function, regions included.
  struct Row {
    var mnemonic: String
    /// In the source's names.
    var name: String
    var result: String
    var work: Dim
    var bytes: Dim
  }

  var rows: [Row] {
    module.functions.flatMap { function in
      function.allOps().map { id in
        let operation = function[id]
        return Row(
          mnemonic: operation.kind.mnemonic, name: operation.locations.joined(separator: ", "),
          result: operation.results.map { function.type($0).description }.joined(separator: ", "),
          work: OpWork.work(function, operation), bytes: OpWork.bytes(function, operation))
      }
    }
  }

  /// What the ops of a function read and write, those of regions once.
  private func bytes(_ function: Function) -> Dim {
    function.allOps().reduce(Dim(0)) { $0 + OpWork.bytes(function, function[$1]) }
  }

  private func ports(_ function: Function) -> (inputs: [(String, ValueType)], outputs: [(String, ValueType)]) {
    let body = function[function.body]
    let inputs = body.arguments.enumerated().map { number, value in
      (function[value].name ?? "input\(number)", function.type(value))
    }
    return (inputs, zip(function.resultNames, body.yields).map { ($0, function.type($1)) })
  }

  var json: JSON {
    func list(_ ports: [(String, ValueType)]) -> JSON {
      .array(
        ports.map { .object([JSON.Member("name", .string($0)), JSON.Member("type", .string($1.description))]) })
    }
    func number(_ dim: Dim) -> JSON { dim.constant.map { .int($0) } ?? .string(dim.description) }
    let entries: [JSON] = module.entries.map { function in
      let (inputs, outputs) = ports(function)
      let work = OpWork.of(function)
      return .object([
        JSON.Member("name", .string(function.name)), JSON.Member("inputs", list(inputs)),
        JSON.Member("outputs", list(outputs)),
        JSON.Member("multiply_adds", number(work)), JSON.Member("bytes", number(bytes(function))),
      ])
    }
    let symbols: [JSON] = module.symbols.map { symbol in
      .object([
        JSON.Member("name", .string(symbol.name)), JSON.Member("minimum", .int(symbol.range.lowerBound)),
        JSON.Member("maximum", .int(symbol.range.upperBound)),
      ])
    }
    let states: [JSON] = module.states.map { state in
      .object([JSON.Member("name", .string(state.name)), JSON.Member("type", .string(state.type.description))])
    }
    return .object([
      JSON.Member("kind", .string("model")), JSON.Member("name", .string(module.name)),
      JSON.Member("entries", .array(entries)), JSON.Member("symbols", .array(symbols)),
      JSON.Member("states", .array(states)), JSON.Member("weights", .int(module.weights.count)),
      JSON.Member("parameters", .int(parameters)), JSON.Member("weights_bytes", .int(weightBytes)),
      JSON.Member("ops", .object(ops.map { JSON.Member($0.name, .int($0.count)) })),
    ])
  }

  var lines: [String] {
    headLines + [oneLine("ops: " + ops.map { "\($0.name) \($0.count)" }.joined(separator: ", "))]
  }

  /// All but the ops.
  var headLines: [String] {
    var lines = ["\(path): model \(module.name)"]
    for function in module.entries {
      let (inputs, outputs) = ports(function)
      lines.append("entry \(function.name)")
      for (name, type) in inputs { lines.append("  in   \(name): \(type)") }
      for (name, type) in outputs { lines.append("  out  \(name): \(type)") }
      lines.append("  \(OpWork.of(function)) multiply-adds, \(bytes(function)) bytes read and written by ops")
    }
    for symbol in module.symbols {
      lines.append("symbol \(symbol.name) in \(symbol.range.lowerBound)...\(symbol.range.upperBound)")
    }
    for state in module.states { lines.append("state \(state.name): \(state.type)") }
    lines.append("\(module.weights.count) weights, \(parameters) parameters, \(Bytes.text(weightBytes))")
    return lines.map(oneLine)
  }
}
