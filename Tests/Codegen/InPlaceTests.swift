import IR
import Support
import Targets
import TestSupport
import Testing

@testable import Codegen

/// Results that are written over operands which nobody needs any more.
@Suite struct InPlaceTests {
  /// Checks results on several machines and numbers of threads, and how many kernels update a buffer.
  private func expect(
    _ name: String, _ inputs: [Tensor], updates: Int, types: [TensorType]? = nil,
    symbols: [String: ClosedRange<Int>] = [:], sourceLocation: SourceLocation = #_sourceLocation,
    _ build: (inout GraphBuilder, [ValueID]) throws -> [ValueID]
  ) throws {
    let types = types ?? inputs.map(\.type)
    // Sums of a few dozen products of numbers below two, in another order.
    let closeness = Closeness.within(relative: 1e-4, absolute: 1e-4)
    try expectLowering(name, types, inputs, symbols: symbols, closeness, sourceLocation: sourceLocation, build)
    let program = try Scheduler.schedule(
      try loweringModule(types, symbols: symbols, build), for: try Profile.named("x86-64-v4"))
    try program.verify()
    #expect(
      program.notes.contains("memory: @main: results written over operands: \(updates)"), "\(name): \(program.notes)",
      sourceLocation: sourceLocation)
  }

  @Test func chains() throws {
    var random = Seeded(1)
    for shape in [[3], [5, 70], [40_000]] {
      try expect("chain of \(shape)", [random.tensor(.f32, shape)], updates: 3) { builder, x in
        // The input is the caller's, and the last result has a place of its own.
        let a = try builder.add(Unary(.abs), x[0])
        let b = try builder.add(Unary(.neg), a)
        let c = try builder.add(Unary(.floor), b)
        return [try builder.add(Unary(.sqrt), try builder.add(Unary(.abs), c))]
      }
    }
  }

  @Test func whatIsStillNeededStays() throws {
    var random = Seeded(2)
    try expect("needed", [random.tensor(.f32, [4, 9])], updates: 0) { builder, x in
      let a = try builder.add(Unary(.abs), x[0])
      let b = try builder.add(Unary(.neg), a)
      return [try builder.add(Binary(.mul), a, b)]
    }
  }

  /// An operand that is read in two ways, or stretched, is not overwritten.
  @Test func onlyTheSameElement() throws {
    var random = Seeded(3)
    try expect("turned", [random.tensor(.f32, [6, 6])], updates: 1) { builder, x in
      let a = try builder.add(Unary(.abs), x[0])
      let turned = try builder.add(Transpose(permutation: [1, 0]), a)
      // `turned` is overwritten by the sum, `a` not by its transpose.
      return [try builder.add(Unary(.neg), try builder.add(Binary(.add), turned, x[0]))]
    }
    try expect("types", [random.tensor(.f32, [6, 6])], updates: 0) { builder, x in
      let a = try builder.add(Unary(.abs), x[0])
      return [try builder.add(Unary(.neg), try builder.add(Cast(to: .i32), a))]
    }
  }

  @Test func rows() throws {
    var random = Seeded(4)
    let x = random.tensor(.f32, [7, 33])
    let types = [TensorType(.f32, [.symbol("n"), 33])]
    for given in [nil, types] {
      for axis in [0, 1] {
        try expect("softmax", [x], updates: 1, types: given, symbols: ["n": 1...99]) { builder, x in
          let soft = try builder.add(Softmax(axis: axis), try builder.add(Unary(.abs), x[0]))
          return [try builder.add(MatMul(transposeRHS: true), soft, x[0])]
        }
      }
      try expect("normalization", [x], updates: 1, types: given, symbols: ["n": 1...99]) { builder, x in
        let norm = try builder.add(LayerNorm(axis: 1, epsilon: 1e-3), try builder.add(Unary(.abs), x[0]))
        return [try builder.add(MatMul(transposeRHS: true), norm, x[0])]
      }
    }
  }
}
