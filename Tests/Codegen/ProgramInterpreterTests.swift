import IR
import Support
import Targets
import TestSupport
import Testing

@testable import Codegen

/// Control flow, state and the memory plan, through the interpreter of scheduled programs.
@Suite struct ProgramInterpreterTests {
  @Test func branches() throws {
    for condition in [0, 1] {
      let inputs = [Tensor.scalar(condition, .bool), Tensor(.f32, [5], doubles: [1, -2, 3, -4, 5])]
      try expectLowering("if \(condition)", inputs.map(\.type), inputs) { builder, x in
        let then = try builder.region([]) { builder, _ throws(Diagnostic) in [try builder.add(Unary(.neg), x[1])] }
        let otherwise = try builder.region([]) { builder, _ throws(Diagnostic) in [try builder.add(Unary(.abs), x[1])] }
        let result = try builder.add(If(), [x[0]], regions: [then, otherwise])
        return [try builder.add(Binary(.add), result[0], x[1])]
      }
    }
  }

  @Test func loops() throws {
    var random = Seeded(17)
    for trip in [0, 1, 5] {
      let inputs = [Tensor.scalar(trip), random.tensor(.f32, [3])]
      try expectLowering("loop \(trip)", inputs.map(\.type), inputs, symbols: ["s": 0...9]) { builder, x in
        let body = try builder.region([ValueFact(.i64, []), ValueFact(.bool, []), ValueFact(.f32, [3])]) {
          builder, arguments throws(Diagnostic) in
          let doubled = try builder.add(Binary(.add), arguments[2], arguments[2])
          return [arguments[1], doubled, arguments[2], arguments[0]]
        }
        var loop = Loop()
        loop.extent = .symbol("s")
        return try builder.add(loop, [x[0], nil, x[1]], regions: [body])
      }
    }
  }

  /// Both directions and inner axes; the extent may be a symbol, and zero. States trade places.
  @Test func scans() throws {
    var random = Seeded(18)
    for (steps, extent) in [(4, Dim(4)), (5, .symbol("n")), (0, .symbol("n"))] {
      let inputs = [
        random.tensor(.f32, [3]), random.tensor(.f32, [3]), random.tensor(.f32, [3, steps]),
        random.tensor(.i32, [steps]),
      ]
      let types = [
        TensorType(.f32, [3]), TensorType(.f32, [3]), TensorType(.f32, [3, extent]), TensorType(.i32, [extent]),
      ]
      try expectLowering("scan \(steps)", types, inputs, symbols: ["n": 0...9]) { builder, x in
        let kind = Scan(states: 2, axes: [1, 0], reversed: [1], outputAxes: [0, -1, 1], outputReversed: [0, 1])
        let facts = [ValueFact(.f32, [3]), ValueFact(.f32, [3]), ValueFact(.f32, [3]), ValueFact(.i32, [])]
        let body = try builder.region(facts) { builder, a throws(Diagnostic) in
          let sum = try builder.add(Binary(.add), a[0], a[2])
          let number = try builder.add(Unary(.neg), a[3])
          return [a[1], sum, number, a[2], x[0]]
        }
        return try builder.add(kind, x, regions: [body])
      }
    }
  }

  @Test func longChainsShareMemory() throws {
    var random = Seeded(16)
    for (n, types) in [(24, [Dim(24)]), (0, [.symbol("n")]), (31, [.symbol("n")])] {
      let x = random.tensor(.f32, [n])
      let type = TensorType(.f32, types)
      let module = try loweringModule([type], symbols: ["n": 0...99]) { builder, x in
        var value = x[0]
        var kept = value
        for number in 0..<12 {
          value = try builder.add(Unary(number % 2 == 0 ? .neg : .abs), value)
          if number % 4 == 3 { kept = try builder.add(Binary(.add), kept, value) }
        }
        return [kept, value]
      }
      let program = try Scheduler.schedule(module, for: try Profile.named("x86-64-v3"))
      let results = try ProgramInterpreter(program).run("main", [x])
      let expected = try Evaluator(module).run("main", [.tensor(x)])
      #expect(results == expected.compactMap(\.tensor))
    }
  }

  @Test func statesLiveOn() throws {
    var module = Module(name: "test")
    module.add(StateDeclaration(name: "sum", type: .tensor(.f32, [3])))
    var builder = GraphBuilder(module: module, function: Function(name: "main"))
    let x = builder.argument("x", ValueFact(.f32, [3]))
    let old = try builder.add(StateRead("sum"), [])[0]
    let new = try builder.add(Binary(.add), old, x)
    try builder.add(StateUpdate("sum"), [new])
    builder.function.setResults([("old", old), ("new", new)])
    let finished = builder.finish()
    let interpreter = try ProgramInterpreter(
      try Scheduler.schedule(finished, for: try Profile.named("x86-64-v3")))
    let evaluator = Evaluator(finished)
    for number in 1...3 {
      let input = Tensor(.f32, [3], doubles: [1, 2, 3].map { $0 * Double(number) })
      let expected = try evaluator.run("main", [.tensor(input)]).compactMap(\.tensor)
      #expect(try interpreter.run("main", [input]) == expected)
    }
  }

  @Test func wrongInputsAreErrors() throws {
    let module = try loweringModule(
      [TensorType(.f32, [.symbol("n"), .symbol("n")])], symbols: ["n": 1...4]
    ) { builder, x in [try builder.add(Unary(.neg), x[0])] }
    let program = try Scheduler.schedule(module, for: try Profile.named("x86-64-v3"))
    let interpreter = try ProgramInterpreter(program)
    for shape in [[2], [2, 3], [5, 5], [0, 0]] {
      #expect(throws: Diagnostic.self) {
        try interpreter.run("main", [Tensor(.f32, shape, doubles: Array(repeating: 0, count: shape.reduce(1, *)))])
      }
    }
    #expect(throws: Diagnostic.self) { try interpreter.run("other", []) }
  }
}
