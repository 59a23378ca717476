import IR
import Support

/// A graph that may be smaller and fail all the same, with inputs for its one entry.
struct ReductionCandidate {
  var module: Module
  var entry: String
  /// In order; nil where some are not known.
  var inputs: [Tensor]?

  private var function: Function? { module.function(entry) }
  var arguments: [ValueID] { function.map { $0[$0.body].arguments } ?? [] }
  var inputNames: [String] {
    guard let function else { return [] }
    return arguments.enumerated().map { function[$1].name ?? "input\($0)" }
  }
  var resultCount: Int { function?.resultNames.count ?? 0 }

  /// Ops that compute, those of regions included.
  var ops: [OpID] {
    guard let function else { return [] }
    return function.allOps().filter { !(function[$0].kind is Constant) }
  }
  var opCount: Int { ops.count }

  /// The ops of the body that may go: constants go with those who read them.
  var bodyOps: [OpID] {
    guard let function else { return [] }
    return function.ops(in: function.body).filter { !(function[$0].kind is Constant) }
  }

  /// What the definitions of the ops say; nil where they cannot.
  func expected(_ inputs: [Tensor]) -> [Value]? {
    try? Evaluator(module).run(entry, inputs.map { .tensor($0) })
  }

  /// The values of one run by their ids, those of inputs included; beyond `limit` bytes no more are kept.
  func recorded(limit: Int = 2 << 30) -> [ValueID: Tensor] {
    guard let inputs, let function else { return [:] }
    var values: [ValueID: Tensor] = Dictionary(zip(arguments, inputs), uniquingKeysWith: { a, _ in a })
    var bytes = 0
    let evaluator = Evaluator(module)
    evaluator.observe = { op, results in
      guard function.exists(op), function[op].block == function.body else { return }
      for (value, result) in zip(function[op].results, results) {
        guard let tensor = result.tensor, bytes <= limit - tensor.bytes.count else { continue }
        bytes += tensor.bytes.count
        values[value] = tensor
      }
    }
    _ = try? evaluator.run(entry, inputs.map { .tensor($0) })
    return values
  }

  /// The candidate that a cut makes of this one; nil where it makes none. `recorded` are this one's values.
  func cut(_ cut: GraphCut, _ recorded: [ValueID: Tensor]) -> ReductionCandidate? {
    guard let (module, values) = try? cut.apply(to: module, entry: entry) else { return nil }
    var result = ReductionCandidate(module: module, entry: entry, inputs: nil)
    guard inputs != nil else { return result }
    var tensors: [Tensor] = []
    for value in values {
      guard let tensor = recorded[value] else { return result }
      guard let shape = cut.retyped[value]?.constantShape else {
        tensors.append(tensor)
        continue
      }
      guard shape.count == tensor.shape.count, zip(shape, tensor.shape).allSatisfy({ $0 <= $1 }) else { return result }
      // The first elements along each axis.
      tensors.append(tensor.gathered(shape, strides: rowMajorStrides(tensor.shape)))
    }
    result.inputs = tensors
    return result
  }
}
