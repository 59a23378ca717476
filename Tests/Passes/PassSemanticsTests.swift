import Foundation
import IR
import Passes
import Support
import Testing

/// Every pass on random graphs: what `evaluate` gives before and after, held against what the pass declares.
@Suite struct PassSemanticsTests {
  /// Seeds that once failed. They stay.
  private static let remembered: [UInt64] = [
    127, 346, 619, 659, 1080, 1102, 1141, 1476, 1330, 2070, 4545, 10912, 18405,
  ]

  /// Random graphs a pass.
  private static let count = Int(ProcessInfo.processInfo.environment["MARTLET_SEEDS"] ?? "") ?? (isDebug ? 200 : 3000)

  private static var isDebug: Bool {
    #if DEBUG
      true
    #else
      false
    #endif
  }

  private static var seeds: [UInt64] { remembered + (1...UInt64(count)) }

  @Test(arguments: PassRegistry.all.map(\.name))
  func passKeepsTheMeaning(_ name: String) throws {
    let pass = try #require(PassRegistry.pass(name))
    let bound: RoundingBound? = if case .rounds(let bound) = pass.effect { bound } else { nil }
    let fired = try check([pass], within: bound)
    for pattern in Self.frequent[name] ?? [] {
      #expect(fired[pattern, default: 0] * 300 >= Self.count, "\(pattern) fired \(fired[pattern, default: 0]) times")
    }
  }

  /// Patterns that random graphs must make fire, so that what they do is tested.
  private static let frequent: [String: [String]] = [
    "rebuild-layer-norm": ["quotient-to-norm", "shift-to-norm", "factor-into-norm", "addend-into-norm"],
    "rebuild-softmax": ["quotient-to-softmax"],
    "rebuild-activations": ["gated-product-to-activation", "quotient-to-silu"],
    "rebuild-attention": ["products-to-attention"],
    "rebuild-rope": [
      "turned-halves-to-rope", "joined-halves-to-rope", "joined-neighbours-to-rope",
    ],
    "scales-into-weights": [
      "scale-into-weights", "addend-into-conv", "pad-into-conv", "merge-scales", "merge-addends", "scale-past-addend",
      "divisor-into-factor",
    ],
    "canonicalize": ["reshape-around-function", "concat-of-slices", "slice-of-concat", "negated-operand"],
  ]

  @Test func pipelineKeepsTheMeaning() throws {
    _ = try check(Pipeline.passes(from: .imported, to: .fused), within: RoundingBound(relative: 1e-3, absolute: 1e-3))
  }

  /// How often each pattern fired.
  private func check(_ passes: [GraphPass], within bound: RoundingBound?) throws -> [String: Int] {
    var compared = 0
    var rewrites: [String: Int] = [:]
    for (number, seed) in Self.seeds.enumerated() {
      // What failed once did so without names spelled out.
      let spells = number >= Self.remembered.count && (bound != nil || seed % 4 == 0)
      guard let sample = PassGraph.make(seed: seed, gentle: bound != nil, spells: spells) else { continue }
      try Verifier.verify(sample.module)
      let before = outcome(sample.module, sample.runs)
      var after = sample.module
      var manager = PassManager()
      manager.verifiesEach = true
      manager.explains = true
      do {
        let report = try manager.run(passes, on: &after)
        for explanation in report.explanations {
          rewrites[explanation.pattern, default: 0] += explanation.outcome == .fired ? 1 : 0
          if explanation.pattern == "note" { Issue.record("seed \(seed): \(explanation)") }
        }
      } catch {
        Issue.record("seed \(seed): \(error)")
        continue
      }
      // What failed may fail otherwise, or no longer.
      guard case .success(let expected) = before else { continue }
      compared += 1
      switch outcome(after, sample.runs) {
      case .failure(let error): Issue.record("seed \(seed): fails with \(error)")
      case .success(let values):
        #expect(values.count == expected.count)
        for (a, b) in zip(values, expected) {
          if let difference = Self.difference(a, b, bound) { Issue.record("seed \(seed): \(difference)") }
        }
      }
    }
    #expect(compared > Self.seeds.count / 3, "too few graphs evaluate")
    return rewrites
  }

  private func outcome(_ module: Module, _ runs: [[Value]]) -> Result<[Value], Diagnostic> {
    let evaluator = Evaluator(module)
    evaluator.fuel = 100_000
    do throws(Diagnostic) {
      var values: [Value] = []
      for inputs in runs { values += try evaluator.run("main", inputs) }
      for state in module.states { values.append(evaluator.states[state.name] ?? .optional(nil)) }
      return .success(values)
    } catch {
      return .failure(error)
    }
  }

  /// What differs, or nil.
  private static func difference(_ a: Value, _ b: Value, _ bound: RoundingBound?) -> String? {
    guard let a = a.tensor, let b = b.tensor else { return a == b ? nil : "other values" }
    guard a.type == b.type else { return "\(a.type) is not \(b.type)" }
    guard a.isFloat else { return a.integers() == b.integers() ? nil : "\(a.integers()) is not \(b.integers())" }
    for (x, y) in zip(a.doubles(), b.doubles()) {
      let isSame = bound?.allows(x, y) ?? ((x == y && x.sign == y.sign) || (x.isNaN && y.isNaN))
      if !isSame { return "\(x) is not \(y)" }
    }
    return nil
  }
}
