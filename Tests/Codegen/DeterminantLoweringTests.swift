import IR
import TestSupport
import Testing

@testable import Codegen

@Suite struct DeterminantLoweringTests {
  @Test func agreesWithEvaluate() throws {
    var random = Seeded(21)
    for shape in [[1, 1], [3, 3], [4, 2, 2], [2, 3, 5, 5], [2, 0, 0], [0, 2, 2]] {
      let x = random.tensor(.f32, shape)
      try expectLowering("\(shape)", [x.type], [x]) { builder, x in [try builder.add(Determinant(), x)[0]] }
    }
    // Without an inverse, and with an order that only the run knows.
    let x = Tensor(.f64, [3, 3], doubles: [1, 2, 3, 2, 4, 6, 0, 1, 5])
    try expectLowering("singular", [TensorType(.f64, [.symbol("n"), .symbol("n")])], [x], symbols: ["n": 0...99]) {
      builder, x in
      [try builder.add(Determinant(), x)[0]]
    }
  }

  @Test func isTheDeterminant() throws {
    let x = Tensor(.f32, [2, 3, 3], doubles: [2, 0, 1, 1, 3, 2, 1, 1, 1, 0, 1, 0, 1, 0, 0, 0, 0, 5])
    let module = try loweringModule([x.type]) { builder, x in [try builder.add(Determinant(), x)[0]] }
    #expect(try Evaluator(module).run("main", [.tensor(x)])[0] == .tensor(Tensor(.f32, [2], doubles: [0, -5])))
  }
}
