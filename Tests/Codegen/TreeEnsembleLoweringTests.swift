import IR
import Support
import TestSupport
import Testing

@testable import Codegen

@Suite struct TreeEnsembleLoweringTests {
  /// Three nodes, a single leaf as a tree of its own, and rows with NaN.
  private func operands(_ element: ElementType, rows: Int, width: Int) -> [Tensor] {
    var random = Seeded(31)
    var x = random.tensor(element, [rows, 3])
    if rows > 1 {
      var values = x.doubles()
      values[4] = .nan
      x = Tensor(element, [rows, 3], doubles: values)
    }
    return [
      x, Tensor(.i32, [3], integers: [2, 0, 1]), Tensor(element, [3], doubles: [0.1, -0.2, .infinity]),
      Tensor(.i32, [3, 2], integers: [1, 2, -1, -2, -3, -4]), Tensor(.i32, [3], integers: [0, -5, 2]),
      Tensor(.i32, [3], integers: [0, 1, 1]), random.tensor(element, [5, width]),
    ]
  }

  /// Code adds leaves in the type they have, `evaluate` in f64: three sums of numbers below 8 in f32 are off by 1e-6 at
  /// most.
  private static let closeness = Closeness.within(relative: 0, absolute: 1e-6)

  private func expectTrees(_ text: String, _ kind: TreeEnsemble, _ tensors: [Tensor], type: TensorType) throws {
    try expectLowering(text, [type], [tensors[0]], symbols: ["n": 0...99], Self.closeness) { builder, x in
      var all: [ValueID?] = [x[0]]
      for table in tensors.dropFirst() { all.append(try builder.constant(table)) }
      return [try builder.add(kind, all)[0]]
    }
  }

  @Test func agreesWithEvaluate() throws {
    for element in [ElementType.f32, .f64] {
      for rows in [0, 1, 7, 33] {
        for function in TreeEnsemble.Function.allCases {
          let tensors = operands(element, rows: rows, width: 2)
          let text = "\(element) \(rows) \(function)"
          try expectTrees(text, TreeEnsemble(function, outputs: 3), tensors, type: tensors[0].type)
        }
      }
    }
    let tensors = operands(.f32, rows: 5, width: 1)
    try expectTrees("open", TreeEnsemble(.sum, outputs: 2), tensors, type: TensorType(.f32, [.symbol("n"), 3]))
  }

  @Test func walksThatDoNotEndAreRefused() throws {
    for (children, features) in [([1, 2, 0, -2, -3, -4], [2, 0, 1]), ([1, 2, -1, -9, -3, -4], [2, 0, 1])] {
      var tensors = operands(.f32, rows: 2, width: 2)
      tensors[1] = Tensor(.i32, [3], integers: features)
      tensors[3] = Tensor(.i32, [3, 2], integers: children)
      #expect(throws: Diagnostic.self) {
        try expectTrees("", TreeEnsemble(.sum, outputs: 3), tensors, type: tensors[0].type)
      }
    }
  }
}
