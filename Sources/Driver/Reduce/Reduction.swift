import CommandLineKit
import IR
import Support

/// Makes a failing graph smaller by delta debugging: it leaves out what can go while the failure stays.
///
/// Large parts are tried first, then halves of them, until no single op, output or input can go any more. The graph
/// that fails is never lost: a trial either replaces it by a smaller one or changes nothing.
final class Reduction {
  private let predicate: FailurePredicate
  private(set) var current: ReductionCandidate
  private(set) var trials = 0
  /// Whether nothing more could be found, and not only no time was left.
  private(set) var isComplete = false
  private let maximumTrials: Int
  private let end: Double
  private let progress: Progress
  private var recordedValues: [ValueID: Tensor]?

  init(_ candidate: ReductionCandidate, _ predicate: FailurePredicate, trials: Int, seconds: Double) {
    current = candidate
    self.predicate = predicate
    maximumTrials = trials
    end = BenchClock.now + seconds
    progress = Progress("trial", total: trials)
  }

  /// False where the graph does not fail to begin with.
  func run() throws(Diagnostic) -> Bool {
    defer { progress.finish() }
    trials += 1
    guard try predicate.holds(current) else { return false }
    try attempt(GraphCut())
    try settleSymbols()
    var size = -1
    while size != measure, !isOver {
      size = measure
      try dropOps()
      try dropResults()
      try bypassOps()
      try shrinkExtents()
    }
    isComplete = !isOver
    return true
  }

  /// Becomes less with everything that a step can leave out.
  private var measure: Int {
    let extents = current.inputs?.reduce(0) { $0 + $1.shape.reduce(0, +) } ?? 0
    return extents + 1000 * (current.arguments.count + current.resultCount + current.opCount)
  }

  private var isOver: Bool { trials >= maximumTrials || BenchClock.now >= end }

  // MARK: Trials

  /// Whether the graph that `cut` makes still fails; it is the current one then.
  @discardableResult
  private func attempt(_ cut: GraphCut) throws(Diagnostic) -> Bool {
    guard !isOver else { return false }
    let values = recorded()
    guard let candidate = current.cut(cut, values) else { return false }
    return try attempt(candidate)
  }

  private func attempt(_ candidate: ReductionCandidate) throws(Diagnostic) -> Bool {
    guard !isOver, !predicate.needsInputs || candidate.inputs != nil else { return false }
    trials += 1
    progress.advance("\(current.opCount) ops, \(current.arguments.count) inputs, \(current.resultCount) outputs")
    guard try predicate.holds(candidate) else { return false }
    current = candidate
    recordedValues = nil
    return true
  }

  /// The values of the current graph, computed when they are first asked for.
  private func recorded() -> [ValueID: Tensor] {
    if let known = recordedValues { return known }
    let values = current.recorded()
    recordedValues = values
    return values
  }

  // MARK: Steps

  /// Extents as numbers, where inputs tell them: types are then the same wherever the graph is cut.
  private func settleSymbols() throws(Diagnostic) {
    guard let inputs = current.inputs, !current.module.symbols.isEmpty else { return }
    let shapes = Dictionary(zip(current.inputNames, inputs.map(\.shape)), uniquingKeysWith: { a, _ in a })
    guard let module = try? current.module.frozen(to: shapes), (try? Verifier.verify(module)) != nil else { return }
    _ = try attempt(ReductionCandidate(module: module, entry: current.entry, inputs: inputs))
  }

  /// Keeps one part of the ops, else all but one part; parts get smaller while neither works.
  private func dropOps() throws(Diagnostic) {
    var parts = 2
    while !isOver {
      let ops = current.bodyOps
      guard ops.count > 1 else { return }
      parts = min(parts, ops.count)
      let size = (ops.count + parts - 1) / parts
      let pieces = stride(from: 0, to: ops.count, by: size).map { Set(ops[$0..<min($0 + size, ops.count)]) }
      if try attemptAny(pieces) {
        parts = 2
        continue
      }
      let all = Set(ops)
      // The last ops first: those before them go with what nobody else reads.
      let others = pieces.count > 2 ? pieces.reversed().map { all.subtracting($0) } : []
      if try attemptAny(others) {
        parts = max(parts - 1, 2)
        continue
      }
      guard parts < ops.count else { return }
      parts = min(ops.count, 2 * parts)
    }
  }

  private func attemptAny(_ parts: [Set<OpID>]) throws(Diagnostic) -> Bool {
    for part in parts where try attempt(GraphCut(kept: part)) { return true }
    return false
  }

  /// One output alone, else without each in turn.
  private func dropResults() throws(Diagnostic) {
    guard current.resultCount > 1 else { return }
    for number in 0..<current.resultCount where try attempt(GraphCut(results: [number])) { return }
    var number = 0
    while number < current.resultCount, current.resultCount > 1, !isOver {
      let rest = (0..<current.resultCount).filter { $0 != number }
      if try !attempt(GraphCut(results: rest)) { number += 1 }
    }
  }

  /// Gives the readers of an op what the op itself reads, or an input, when the types agree.
  private func bypassOps() throws(Diagnostic) {
    var number = current.ops.count - 1
    while number >= 0, !isOver {
      let ops = current.ops
      if number < ops.count { _ = try bypass(ops[number]) }
      number -= 1
    }
  }

  private func bypass(_ op: OpID) throws(Diagnostic) -> Bool {
    guard let function = current.module.function(current.entry), function[op].results.count == 1 else { return false }
    let result = function[op].results[0]
    var others: [ValueID] = []
    for value in function[op].operands.compactMap({ $0 }) + current.arguments
    where function.type(value) == function.type(result) && !others.contains(value) && others.count < 4 {
      others.append(value)
    }
    for other in others where try attempt(GraphCut(replaced: [result: other])) { return true }
    return false
  }

  /// The same extent of all inputs as 1, 2, or half as many.
  private func shrinkExtents() throws(Diagnostic) {
    guard let function = current.module.function(current.entry) else { return }
    let types = current.arguments.compactMap { function.tensorType($0) }
    let extents = Set(types.flatMap { $0.constantShape ?? [] }.filter { $0 > 1 })
    for extent in extents.sorted(by: >) {
      for smaller in [1, 2, extent / 4, extent / 2] where smaller > 0 && smaller < extent {
        if try shrink(extent, to: smaller) { break }
      }
    }
  }

  private func shrink(_ extent: Int, to smaller: Int) throws(Diagnostic) -> Bool {
    guard let function = current.module.function(current.entry) else { return false }
    var cut = GraphCut()
    for argument in current.arguments {
      guard let type = function.tensorType(argument), type.constantShape?.contains(extent) ?? false else { continue }
      cut.retyped[argument] = type.with(shape: type.shape.map { $0.constant == extent ? Dim(smaller) : $0 })
    }
    return try cut.retyped.isEmpty ? false : attempt(cut)
  }
}
