import Foundation
import IR
import Support

/// What a correct compiled program may answer, found by evaluating with disturbed results of every op that rounds.
///
/// An op that computes one correctly rounded operation must give the same bits, and is not disturbed. For the others
/// the disturbance is a bound of what the order of a sum, or a function accurate to a few units in the last place, can
/// change; how such errors grow from there through the graph, `evaluate` itself tells. Where a disturbance makes an
/// integer or a bool jump, both answers are right.
struct ErrorStudy {
  /// Disturbances are random, so the worst of a few of them is not yet the worst there is.
  static let margin = 4.0
  /// Functions are made to be within 3 units in the last place; a unit is up to two roundoffs.
  static let functionRoundoffs = 8.0

  let module: Module
  /// Entries and their inputs, run one after the other with state kept in between.
  let runs: [(entry: String, inputs: [Value])]

  /// Results of every run in order.
  func evaluate(disturbedBy seed: UInt64? = nil) throws(Diagnostic) -> [[Value]] {
    let evaluator = Evaluator(module)
    if let seed {
      var noise = Noise(seed)
      let plain = Evaluator(module)
      evaluator.amend = { operation, inputs, results in
        ErrorStudy.disturb(operation, inputs, results, plain, &noise)
      }
    }
    var results: [[Value]] = []
    for run in runs { results.append(try evaluator.run(run.entry, run.inputs)) }
    return results
  }

  /// What is wrong with `actual`; nil when it is right. Where the machine takes numbers below the least normal one for
  /// zero, results may be off by that much.
  func fault(of actual: [[Tensor]], trials: Int = 12, flushesSubnormals: Bool = false) throws -> String? {
    let expected = try evaluate()
    guard zip(actual, expected).contains(where: { !Self.identical($0, $1) }) else { return nil }
    var others: [[[Value]]] = []
    for trial in 0..<trials {
      // A disturbed evaluation may fail, where an extent that depends on data changes.
      if let other = try? evaluate(disturbedBy: UInt64(trial)) { others.append(other) } else { return nil }
    }
    for run in expected.indices {
      for (number, reference) in expected[run].enumerated() {
        guard let reference = reference.tensor, number < actual[run].count else { return "an output is missing" }
        let disturbed = others.compactMap { $0[run][number].tensor }
        let least = flushesSubnormals ? Double(Float.leastNormalMagnitude) : 0
        if let fault = Self.compare(actual[run][number], reference, disturbed, least) {
          return "run \(run), output \(number): \(fault)"
        }
      }
    }
    return nil
  }

  // MARK: Comparing

  private static func identical(_ actual: [Tensor], _ expected: [Value]) -> Bool {
    guard actual.count == expected.count else { return false }
    return zip(actual, expected).allSatisfy { a, b in
      guard let b = b.tensor else { return false }
      return a.shape == b.shape && a.storage == b.storage && a.bytes == b.bytes
    }
  }

  private static func compare(
    _ actual: Tensor, _ expected: Tensor, _ others: [Tensor], _ least: Double
  ) -> String? {
    guard actual.storage == expected.storage else { return "is \(actual.type), not \(expected.type)" }
    guard actual.shape == expected.shape else {
      return others.contains { $0.shape != expected.shape } ? nil : "has shape \(actual.shape), not \(expected.shape)"
    }
    guard !others.contains(where: { $0.shape != expected.shape }) else { return nil }
    guard expected.isFloat else {
      let (a, b, c) = (actual.integers(), expected.integers(), others.map { $0.integers() })
      for index in a.indices where a[index] != b[index] && !c.contains(where: { $0[index] != b[index] }) {
        return "[\(index)] is \(a[index]), not \(b[index])"
      }
      return nil
    }
    let (a, b, c) = (actual.doubles(), expected.doubles(), others.map { $0.doubles() })
    for index in a.indices where !(a[index] == b[index] || (a[index].isNaN && b[index].isNaN)) {
      var tolerance = least
      for other in c {
        let difference = abs(other[index] - b[index])
        tolerance = difference.isNaN ? .infinity : max(tolerance, difference)
      }
      if !(abs(a[index] - b[index]) <= margin * tolerance), tolerance != .infinity {
        return "[\(index)] is \(a[index]), not \(b[index]) ± \(margin * tolerance)"
      }
    }
    return nil
  }

  // MARK: Disturbing

  private static func disturb(
    _ operation: IR.Operation, _ inputs: [Value], _ results: [Value], _ evaluator: Evaluator, _ noise: inout Noise
  ) -> [Value] {
    if operation.kind is any RecurrentKind { return disturbStates(inputs, results, &noise) }
    if operation.kind is LinearAttention { return disturbProducts(inputs, results, &noise) }
    guard operation.regions.isEmpty, let result = results.first?.tensor, result.isFloat, results.count == 1,
      let element = result.storage, let bounds = errorBounds(operation.kind, inputs, result, evaluator)
    else { return results }
    // What is computed in f32 rounds once more to a narrow type, and may fall to the other side.
    let narrow = element.bits < 32 ? roundoff(element) : 0
    var values = result.doubles()
    for index in values.indices {
      values[index] += (bounds[index] + 2 * narrow * abs(values[index])) * noise.next()
    }
    return [.tensor(Tensor(element, result.shape, doubles: values))]
  }

  /// States lie between -1 and 1; what is off in one step is off in the next ones too.
  private static func disturbStates(_ inputs: [Value], _ results: [Value], _ noise: inout Noise) -> [Value] {
    guard let x = inputs[0].tensor, let weights = inputs[2].tensor, let element = x.storage else { return results }
    let unit = element == .f64 ? 0x1p-53 : 0x1p-24
    let sums = Double(x.shape[2] + weights.shape[2]) + functionRoundoffs
    let bound = Double(x.shape[0]) * (8 * sums * unit + 2 * (element.bits < 32 ? roundoff(element) : 0))
    return results.map { value in
      guard let tensor = value.tensor else { return value }
      return .tensor(Tensor(element, tensor.shape, doubles: tensor.doubles().map { $0 + bound * noise.next() }))
    }
  }

  /// Sums over steps and widths of products of three.
  private static func disturbProducts(_ inputs: [Value], _ results: [Value], _ noise: inout Noise) -> [Value] {
    guard let x = inputs[0].tensor, let element = x.storage else { return results }
    let greatest = inputs.compactMap(\.tensor).flatMap { $0.doubles().map { abs($0) } }.max() ?? 0
    let count = Double(x.shape[1] + x.shape[3])
    let unit = element == .f64 ? 0x1p-53 : 0x1p-24
    let bound = 4 * count * count * max(1, greatest * greatest * greatest) * unit
    return results.map { value in
      guard let tensor = value.tensor else { return value }
      return .tensor(Tensor(element, tensor.shape, doubles: tensor.doubles().map { $0 + bound * noise.next() }))
    }
  }

  /// Half a unit in the last place of 1.
  private static func roundoff(_ element: ElementType) -> Double {
    switch element {
    case .f64: 0x1p-53
    case .f32: 0x1p-24
    case .f16: 0x1p-11
    case .bf16: 0x1p-8
    default: 0x1p-3
    }
  }

  /// By how much each element may be off; nil for ops that are exact.
  private static func errorBounds(
    _ kind: any OpKind, _ inputs: [Value], _ result: Tensor, _ evaluator: Evaluator
  ) -> [Double]? {
    let unit = result.storage == .f64 ? 0x1p-53 : 0x1p-24
    func greatest(_ value: Value) -> Double { value.tensor?.doubles().map { abs($0) }.max() ?? 0 }
    func relative(_ factor: Double) -> [Double] { result.doubles().map { abs($0) * factor * unit } }
    func ofSum(_ count: Int) -> [Double]? {
      let absolute = inputs.map { value -> Value in
        guard let tensor = value.tensor, tensor.isFloat, let storage = tensor.storage, tensor.layout == nil else {
          return value
        }
        return .tensor(
          Tensor(storage == .f64 ? .f64 : storage, tensor.shape, doubles: tensor.doubles().map { abs($0) }))
      }
      let type = ValueType.tensor(result.type)
      guard let sums = try? evaluator.evaluate(kind, absolute, results: [type])[0].tensor else { return relative(1e3) }
      return sums.doubles().map { abs($0) * Double(count + 2) * unit }
    }
    switch kind {
    case let unary as Unary:
      switch unary.function {
      case .neg, .abs, .sign, .relu, .not, .bitNot, .isNaN, .sqrt, .reciprocal, .floor, .ceil, .round, .roundAway,
        .trunc:
        return nil
      default: return relative(functionRoundoffs)
      }
    case let binary as Binary:
      return binary.function == .pow || binary.function == .atan2 ? relative(2 * functionRoundoffs) : nil
    case let product as MatMul:
      guard let shape = inputs[0].tensor?.shape, shape.count >= 2 else { return nil }
      return ofSum(shape[shape.count - (product.transposeLHS ? 2 : 1)])
    case is Conv:
      guard let weights = inputs[1].tensor?.shape, let filters = weights.first else { return nil }
      return ofSum(weights.reduce(1, *) / max(1, filters))
    case is DeformConv:
      guard let weights = inputs[1].tensor?.shape, let filters = weights.first else { return nil }
      let sum = Double(weights.reduce(1, *) / max(1, filters))
      return result.doubles().map { _ in greatest(inputs[0]) * greatest(inputs[1]) * sum * (sum + 16) * unit }
    case is ConvTranspose:
      guard let weights = inputs[1].tensor?.shape, let filters = weights.last else { return nil }
      return ofSum(weights.reduce(1, *) / max(1, filters))
    case is LayerNorm, is RMSNorm:
      let epsilon = (kind as? LayerNorm)?.epsilon ?? (kind as? RMSNorm)?.epsilon ?? 1
      let columns = Double(result.shape.last ?? 1)
      let absolute = greatest(inputs[0]) * (columns + 8) * 2 / max(epsilon, 1e-12).squareRoot()
      return result.doubles().map { (absolute + 16 * abs($0)) * unit }
    case let attention as Attention:
      guard let q = inputs[0].tensor, let k = inputs[1].tensor else { return nil }
      let products = Double(q.shape[3]) * greatest(inputs[0]) * greatest(inputs[1]) * abs(attention.scale)
      let keys = Double(k.shape[attention.sequenceFirst ? 1 : 2])
      let factor = keys + functionRoundoffs + 16 + 4 * Double(q.shape[3]) * products
      return result.doubles().map { _ in greatest(inputs[2]) * factor * unit }
    case is Rope:
      let factor = greatest(inputs[0]) * (greatest(inputs[1]) + greatest(inputs[2]))
      return result.doubles().map { _ in 2 * factor * unit }
    case let reduction as Reduce:
      let ratio = (inputs[0].tensor?.count ?? 1) / max(1, result.count)
      switch reduction.function {
      case .max, .min: return nil
      case .prod: return relative(Double(2 * ratio))
      case .sum, .mean: return ofSum(ratio)
      }
    case is GridSample, is RegionAlign:
      let most = inputs[0].tensor?.doubles().map { abs($0) }.max() ?? 0
      return result.doubles().map { _ in most * 256 * unit }
    case is Pool, is Resize, is Fold: return ofSum(64)
    case is Cumulative: return ofSum(inputs[0].tensor?.shape.max() ?? 1)
    case is Softmax:
      // The distance to the maximum is rounded before its exponential is taken.
      let count = Double(inputs[0].tensor?.shape.max() ?? 1)
      return result.doubles().map { abs($0) * (count + functionRoundoffs + abs(log(max($0, 1e-300)))) * unit }
    default: return nil
    }
  }
}

/// Uniform in -1...1.
struct Noise {
  private var state: UInt64

  init(_ seed: UInt64) { state = seed &* 0x9e37_79b9_7f4a_7c15 &+ 1 }

  mutating func next() -> Double {
    state ^= state << 13
    state ^= state >> 7
    state ^= state << 17
    return Double(Int64(bitPattern: state)) / 0x1p63
  }
}
