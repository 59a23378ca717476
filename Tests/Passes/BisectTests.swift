import IR
import Passes
import Support
import Testing

@Suite struct BisectTests {
  /// Right for `neg`, wrong for `abs`: what bisection must find among right rewrites.
  private static let wrong = GraphPass("wrong", .exact, "a deliberate mistake") { context throws(Diagnostic) in
    try context.forEachFunction { context throws(Diagnostic) in
      for op in context.function.allOps() {
        guard context.function[op].kind.mnemonic == "abs", context.permit("abs-is-nothing", at: op),
          let x = context.function[op].operands[0]
        else { continue }
        try context.replace(op, with: [x])
      }
    }
  }

  private static let text = """
    module @m {
      entry @main(%x: f32[2]) -> (%y: f32[2]) {
        %0 = neg %x : f32[2]
        %1 = neg %0 : f32[2]
        %2 = relu %1 : f32[2]
        %3 = relu %2 : f32[2]
        %4 = abs %3 : f32[2] loc "onnx:/harmless"
        %5 = sub %4, %x : f32[2]
        %6 = neg %5 : f32[2]
        %7 = abs %6 : f32[2] loc "onnx:/guilty"
        %8 = exp %7 : f32[2]
        %9 = relu %8 : f32[2]
        return %9
      }
    }
    """

  private func trial(_ passes: [GraphPass], _ fuel: Int?) throws -> Bisect.Trial {
    let module = try ModuleParser.parse(Self.text, file: "bisect.mir")
    let input = Value.tensor(Tensor(.f32, [2], doubles: [-1, 3]))
    let expected = try Evaluator(module).run("main", [input])
    var changed = module
    var manager = PassManager()
    manager.fuel = fuel
    let report = try manager.run(passes, on: &changed)
    return Bisect.Trial(isRight: try Evaluator(changed).run("main", [input]) == expected, report: report)
  }

  @Test func findsTheGuiltyRewrite() throws {
    let outcome = try Bisect.firstWrong { try trial([canonicalize, Self.wrong, deadCode], $0) }
    guard case .found(let rewrite) = outcome else {
      Issue.record("found \(outcome)")
      return
    }
    #expect(rewrite.pass == "wrong")
    #expect(rewrite.pattern == "abs-is-nothing")
    #expect(rewrite.locations == ["onnx:/guilty"])
    #expect("\(rewrite)".contains("abs-is-nothing of wrong at abs (onnx:/guilty)"))
  }

  @Test func findsNothingWhereNothingIsWrong() throws {
    #expect(try Bisect.firstWrong { try trial([canonicalize], $0) } == .alwaysRight)
  }

  @Test func fuelPermitsExactlySoMany() throws {
    for fuel in 0...3 { #expect(try trial([canonicalize], fuel).rewrites == min(fuel, 2)) }
  }
}
