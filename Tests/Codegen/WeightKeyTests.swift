import IR
import Support
import Targets
import TestSupport
import Testing

@testable import Codegen

/// Names of weights are the model's: whatever they are, none is taken for what packing made of another.
@Suite struct WeightKeyTests {
  private func module(_ names: [String]) throws -> Module {
    var random = Seeded(21)
    var module = Module(name: "m")
    module.add(Weight(name: "w", tensor: random.tensor(.f32, [8, 16])))
    module.add(Weight(name: "f", tensor: random.tensor(.f32, [8, 3, 3, 3])))
    for name in names { module.add(Weight(name: name, tensor: random.tensor(.f32, [16]))) }
    var builder = GraphBuilder(module: module, function: Function(name: "main"))
    let x = builder.argument("x", ValueFact(.f32, [5, 8]))
    let image = builder.argument("image", ValueFact(.f32, [1, 4, 4, 3]))
    // The plain weights are read first in one module and last in the other.
    var results = [try builder.add(MatMul(), x, try builder.weight("w"))]
    results.append(try builder.add(Conv(), [image, try builder.weight("f")])[0])
    for name in names { results.append(try builder.add(Unary(.neg), try builder.weight(name))) }
    builder.function.setResults(results.enumerated().map { ("y\($0)", $1) })
    return builder.finish()
  }

  @Test func derivedNamesAreNobodysOwn() throws {
    let profile = try Profile.named("x86-64-v3")
    let plain = try Scheduler.schedule(try module([]), for: profile)
    let derived = plain.weights.map(\.name).filter { $0.contains("@") }
    #expect(derived.count >= 2)
    let module = try module(derived)
    let program = try Scheduler.schedule(module, for: profile)
    #expect(Set(program.weights.map(\.name)).count == program.weights.count)
    var random = Seeded(22)
    let inputs = [random.tensor(.f32, [5, 8]), random.tensor(.f32, [1, 4, 4, 3])]
    let results = try ProgramInterpreter(program).run("main", inputs)
    let expected = try Evaluator(module).run("main", inputs.map { .tensor($0) }).compactMap(\.tensor)
    for (result, wanted) in zip(results, expected) {
      for (a, b) in zip(result.doubles(), wanted.doubles()) { #expect(abs(a - b) < 1e-5) }
    }
    // And the other way round: the weight is there before the packed one.
    for name in derived {
      let hostile = try self.module([name])
      let first = ProgramStore(module: hostile)
      let plainPlace = first.place(weight: .weight(name), bytes: 64) { .empty }
      #expect(first.place(weight: WeightKey.weight("w").derived("x"), bytes: 64) { .empty } != plainPlace)
    }
  }
}
