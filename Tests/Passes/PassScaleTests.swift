import IR
import Passes
import Support
import Testing

/// Passes work in proportion to the graph: 30,000 ops take a fraction of a second each. A pass that were quadratic
/// would take minutes, so the bound may be generous to slow machines and debug builds.
@Suite struct PassScaleTests {
  private static let secondsAllowed = 30.0

  @Test(arguments: [false, true])
  func passesDoNotSlowDownWithSize(joined: Bool) throws {
    var builder = GraphBuilder(module: Module(name: "large"), function: Function(name: "main"))
    let first = builder.argument("x", ValueFact(.f32, [1, 4, 4, 4]))
    let weight = builder.argument("w", ValueFact(.f32, [4, 4]))
    var x = first
    for number in 0..<4000 {
      let up = try builder.add(Transpose(permutation: [0, 3, 1, 2]), x)
      let scale = try builder.constant(.scalar(Double(number)))
      let sum = try builder.add(Binary(.add), try builder.add(Unary(.relu), up), scale)
      let down = try builder.add(Transpose(permutation: [0, 2, 3, 1]), sum)
      // Joined, one value is read by all and everything is one component; apart, matmuls lie between.
      let mixed = try builder.add(Binary(.add), down, joined ? first : x)
      x = joined ? mixed : try builder.add(MatMul(), mixed, weight)
    }
    builder.function.setResults([("y", x)])
    var module = builder.finish()
    let report = try PassManager().run(Pipeline.passes(from: .imported, to: .fused), on: &module)
    for run in report.runs { #expect(run.seconds < Self.secondsAllowed, "\(run.pass)") }
    let transposes = module.functions[0].allOps().filter { module.functions[0][$0].kind is Transpose }
    #expect(transposes.isEmpty)
  }
}
