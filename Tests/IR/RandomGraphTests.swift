import IR
import Support
import Testing
import TestGraphs

@Suite struct RandomGraphTests {
  @Test func graphsBuildVerifyAndEvaluate() throws {
    var used: Set<String> = []
    var withGuards = 0
    for seed in 0..<2000 {
      let graph = RandomGraph(seed: UInt64(seed))
      do {
        let module = try graph.module()
        try Verifier.verify(module)
        for function in module.functions {
          for id in function.allOps() {
            used.insert(function[id].kind.mnemonic)
            if !function[id].guards.isEmpty { withGuards += 1 }
          }
        }
        for value in try Evaluator(module).run("main", graph.inputs()) {
          guard let tensor = value.tensor, tensor.isFloat else { continue }
          #expect(tensor.doubles().allSatisfy { $0.isFinite && abs($0) <= 1e5 }, "seed \(seed)")
        }
      } catch {
        Issue.record("seed \(seed): \(error)")
      }
    }
    // Graphs hold no texts.
    let texts = OpRegistry.families.filter { $0.name == "string" }.flatMap(\.kinds).flatMap { $0.mnemonics }
    #expect(Set(OpRegistry.mnemonics).subtracting(used).subtracting(texts).isEmpty)
    #expect(withGuards > 10)
  }

  @Test func equalSeedsGiveEqualGraphs() throws {
    for seed in 0..<50 {
      let (a, b) = (RandomGraph(seed: UInt64(seed)), RandomGraph(seed: UInt64(seed)))
      #expect(try a.module().text() == b.module().text())
      #expect(a.inputs() == b.inputs())
    }
  }

  @Test func graphsReadBack() throws {
    for seed in 0..<200 {
      let module = try RandomGraph(seed: UInt64(seed)).module()
      let printer = ModulePrinter(module)
      var weights = TestWeights()
      for weight in printer.externalWeights { weights.tensors[weight.name] = weight.tensor }
      let again = try ModuleParser.parse(printer.text, file: "random.mir", weights: weights)
      #expect(again.text() == printer.text, "seed \(seed)")
    }
  }
}
