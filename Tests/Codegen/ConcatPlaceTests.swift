import IR
import Support
import Targets
import TestSupport
import Testing

@testable import Codegen

/// What a concat joins is written where it belongs, and what a slice takes is read where it lies: no kernel copies.
@Suite struct ConcatPlaceTests {
  private static let exact = Closeness.exact
  /// Sums of up to some hundred products of numbers around one, added in another order.
  private static let sums = Closeness.within(relative: 1e-4, absolute: 1e-3)

  /// Checks results on several machines, and how many kernels do nothing but move elements.
  private func expect(
    _ name: String, _ types: [TensorType], _ inputs: [Tensor], copies: Int, _ closeness: Closeness = exact,
    symbols: [String: ClosedRange<Int>] = [:], sourceLocation: SourceLocation = #_sourceLocation,
    _ build: (inout GraphBuilder, [ValueID]) throws -> [ValueID]
  ) throws {
    try expectLowering(name, types, inputs, symbols: symbols, closeness, sourceLocation: sourceLocation, build)
    let program = try Scheduler.schedule(
      try loweringModule(types, symbols: symbols, build), for: try Profile.named("x86-64-v4"))
    try program.verify()
    let found = program.entries[0].body.filter { ConcatPlaceTests.moves($0, program) }.count
    #expect(found == copies, "\(name): \(program.notes)", sourceLocation: sourceLocation)
  }

  /// Copies, and kernels that compute nothing with elements.
  private static func moves(_ step: Step, _ program: Program) -> Bool {
    switch step {
    case .copy: return true
    case .dispatch(let dispatch):
      guard let kernel = program.kernels.first(where: { $0.name == dispatch.kernel }) else { return false }
      // Elements are moved as bits, whatever they mean.
      let isMove = kernel.name.hasPrefix("k_map") || kernel.name.hasPrefix("k_transpose")
      return isMove && !kernel.types.contains { $0.scalar.isFloat }
    default: return false
    }
  }

  private func absolute(_ builder: inout GraphBuilder, _ x: ValueID) throws -> ValueID {
    try builder.add(Unary(.abs), x)
  }

  private func slice(
    _ builder: inout GraphBuilder, _ x: ValueID, _ shape: [Int], axis: Int, _ range: Range<Int>
  ) throws -> ValueID {
    var (starts, sizes) = (shape.map { _ in Dim(0) }, shape.map { Dim($0) })
    starts[axis] = Dim(range.lowerBound)
    sizes[axis] = Dim(range.count)
    return try builder.add(Slice(starts: starts, sizes: sizes, steps: shape.map { _ in 1 }), x)
  }

  @Test(arguments: [ElementType.f32, .f16, .f64]) func maps(_ element: ElementType) throws {
    var random = Seeded(1)
    let (a, b) = (random.tensor(element, [2, 3, 4, 5]), random.tensor(element, [2, 3, 4, 18]))
    try expect("maps", [a.type, b.type], [a, b], copies: 1, Self.sums) { builder, x in
      let parts = [try absolute(&builder, x[0]), try absolute(&builder, x[1])]
      let both = try builder.add(Concat(axis: -1), parts[1], parts[0], parts[1])
      return [try absolute(&builder, both)]
    }
  }

  /// The first operand is computed before the run tells how large the whole is.
  @Test func wholesOfUnknownSizeWait() throws {
    var random = Seeded(9)
    let (a, extent) = (random.tensor(.f32, [1, 4]), Tensor(.i64, [], integers: [3]))
    try expectLowering("late", [a.type, extent.type], [a, extent], symbols: ["late": 0...64]) { builder, x in
      let first = try absolute(&builder, x[0])
      _ = try builder.add(Extent(symbol: "late"), x[1])
      let rest = try builder.add(Broadcast(shape: [Dim(symbol: "late"), 4]), x[0])
      return [try builder.add(Concat(axis: 0), first, rest)]
    }
  }

  @Test func operandsThatNobodyComputesAreCopied() throws {
    var random = Seeded(2)
    let (a, b) = (random.tensor(.f32, [2, 5]), random.tensor(.f32, [2, 18]))
    try expect("inputs", [a.type, b.type], [a, b], copies: 2) { builder, x in
      // An input, a piece in place, and the same one again.
      let y = try absolute(&builder, x[1])
      return [try builder.add(Concat(axis: 1), x[0], y, y)]
    }
  }

  /// Branches over one image, as in Inception: pointwise, padded, pools, and what follows a convolution.
  @Test(arguments: [1, 2]) func branches(_ batch: Int) throws {
    var random = Seeded(3)
    let image = random.tensor(.f32, [batch, 7, 6, 9])
    let filters = [[16, 1, 1, 9], [20, 3, 3, 9], [5, 1, 1, 9], [33, 3, 3, 50]].map { random.tensor(.f32, $0) }
    try expect("branches", [image.type] + filters.map(\.type), [image] + filters, copies: 0, Self.sums) { builder, x in
      let pooled = try builder.add(Pool(.max, window: [3, 3], padding: [1, 1, 1, 1]), x[0])
      let parts = [
        try builder.add(Conv(), x[0], x[1]), try builder.add(Conv(padding: [1, 1, 1, 1]), x[0], x[2]),
        try builder.add(Pool(.average, window: [3, 3], padding: [1, 1, 1, 1]), x[0]),
        try builder.add(Conv(), pooled, x[3]),
      ]
      let joined = try builder.add(Concat(axis: 3), parts)[0]
      return [try builder.add(Conv(padding: [1, 1, 1, 1]), joined, x[4])]
    }
  }

  /// Each layer sees what all before it made: the smaller concats are parts of the largest.
  @Test func denseBlock() throws {
    var random = Seeded(4)
    let image = random.tensor(.f32, [2, 5, 5, 16])
    let filters = (0..<4).map { random.tensor(.f32, [8, 3, 3, 16 + 8 * $0]) }
    for isChained in [false, true] {
      try expect("dense", [image.type] + filters.map(\.type), [image] + filters, copies: 0, Self.sums) { builder, x in
        var all = [try absolute(&builder, x[0])]
        var seen = all[0]
        for number in filters.indices {
          let sums = try builder.add(Conv(padding: [1, 1, 1, 1]), seen, x[1 + number])
          let made = try absolute(&builder, sums)
          all.append(made)
          seen = isChained ? try builder.add(Concat(axis: 3), seen, made) : try builder.add(Concat(axis: 3), all)[0]
        }
        return [try builder.add(Reduce(.max, axes: [1, 2]), seen)]
      }
    }
  }

  /// One half goes through layers, then all halves are joined: the image is written where it is joined.
  @Test func halvesOfAnImage() throws {
    var random = Seeded(5)
    let image = random.tensor(.f32, [1, 6, 7, 12])
    let filters = [[32, 1, 1, 12], [16, 3, 3, 16], [16, 3, 3, 16], [7, 1, 1, 48]].map { random.tensor(.f32, $0) }
    try expect("halves", [image.type] + filters.map(\.type), [image] + filters, copies: 0, Self.sums) { builder, x in
      let both = try builder.add(Conv(), x[0], x[1])
      let first = try slice(&builder, both, [1, 6, 7, 32], axis: 3, 0..<16)
      let second = try slice(&builder, both, [1, 6, 7, 32], axis: 3, 16..<32)
      let inner = try builder.add(Conv(padding: [1, 1, 1, 1]), second, x[2])
      let outer = try builder.add(Conv(padding: [1, 1, 1, 1]), inner, x[3])
      let sum = try absolute(&builder, try builder.add(Binary(.add), second, outer))
      return [try builder.add(Conv(), try builder.add(Concat(axis: 3), first, second, sum), x[4])]
    }
  }

  /// Heads of one product, read by attention where they lie; and halves of one product, gated.
  @Test func slicesOfProducts() throws {
    var random = Seeded(6)
    let (rows, matrix) = (random.tensor(.f32, [2, 7, 24]), random.tensor(.f32, [24, 96]))
    try expect("heads", [rows.type, matrix.type], [rows, matrix], copies: 0, Self.sums) { builder, x in
      let all = try builder.add(MatMul(), x[0], x[1])
      let heads = try (0..<3).map { number in
        let part = try slice(&builder, all, [2, 7, 96], axis: 2, number * 32..<number * 32 + 32)
        return try builder.add(Reshape(shape: [2, 7, 4, 8]), part)
      }
      return [try builder.add(Attention(scale: 0.25, sequenceFirst: true), heads[0], heads[1], heads[2])]
    }
    try expect("gates", [rows.type, matrix.type], [rows, matrix], copies: 0, Self.sums) { builder, x in
      let all = try builder.add(MatMul(), x[0], x[1])
      let gate = try absolute(&builder, try slice(&builder, all, [2, 7, 96], axis: 2, 0..<48))
      let gated = try builder.add(
        Binary(.mul), gate, try absolute(&builder, try slice(&builder, all, [2, 7, 96], axis: 2, 48..<96)))
      return [try builder.add(MatMul(transposeRHS: true), gated, try absolute(&builder, gated))]
    }
  }

  /// Along the outermost axis, pieces are stretches of memory, which every op can write.
  @Test func outermostAxis() throws {
    var random = Seeded(7)
    let (a, b) = (random.tensor(.f32, [1, 3, 8]), random.tensor(.f32, [1, 40]))
    try expect("outermost", [a.type, b.type], [a, b], copies: 0, Self.sums) { builder, x in
      let first = try builder.add(Softmax(axis: -1), x[0])
      let second = try builder.add(Reshape(shape: [1, 5, 8]), try builder.add(Softmax(axis: 1), x[1]))
      let joined = try builder.add(Concat(axis: 1), first, second)
      let last = try slice(&builder, joined, [1, 8, 8], axis: 1, 2..<7)
      return [try builder.add(Softmax(axis: -1), last), try absolute(&builder, joined)]
    }
  }

  /// What cannot be read in rows is copied once, whoever else reads it; results of the entry are dense.
  @Test func whatCannotBeReadInRows() throws {
    var random = Seeded(8)
    let a = random.tensor(.f32, [3, 8])
    try expect("rows", [a.type], [a], copies: 2, Self.sums) { builder, x in
      let (y, z) = (try absolute(&builder, x[0]), try builder.add(Unary(.neg), x[0]))
      let joined = try builder.add(Concat(axis: 1), y, z)
      let part = try slice(&builder, joined, [3, 16], axis: 1, 3..<9)
      return [y, try builder.add(Softmax(axis: 1), part), try absolute(&builder, joined)]
    }
  }

  /// Pieces of images whose size only the run tells, in rows all the same.
  @Test func symbols() throws {
    var random = Seeded(9)
    let type = TensorType(.f32, [.symbol("n"), .symbol("h"), 5, 8])
    let filters = [[16, 1, 1, 8], [3, 3, 3, 24]].map { random.tensor(.f32, $0) }
    for (n, h) in [(1, 4), (2, 3), (0, 3)] {
      let x = random.tensor(.f32, [n, h, 5, 8])
      try expect(
        "symbols", [type] + filters.map(\.type), [x] + filters, copies: 0, Self.sums,
        symbols: ["n": 0...9, "h": 1...9]
      ) { builder, x in
        let joined = try builder.add(Concat(axis: 3), try absolute(&builder, x[0]), try builder.add(Conv(), x[0], x[1]))
        return [try builder.add(Conv(padding: [1, 1, 1, 1]), joined, x[2])]
      }
    }
  }

  /// Eight-bit images, whose padding takes a copy of its own.
  @Test(arguments: [ElementType.u8, .i8]) func integers(_ element: ElementType) throws {
    var random = Seeded(10)
    let image = random.tensor(element, [1, 5, 4, 6])
    let filters = [[7, 3, 3, 6], [9, 1, 1, 3]].map { random.tensor(.i8, $0) }
    let graph = { (builder: inout GraphBuilder, x: [ValueID]) throws -> [ValueID] in
      let small = try builder.add(Cast(to: element), try builder.add(Conv(padding: [1, 1, 1, 1]), x[0], x[1]))
      let half = try self.slice(&builder, x[0], [1, 5, 4, 6], axis: 3, 3..<6)
      let joined = try builder.add(Concat(axis: 3), small, try builder.add(Unary(.bitNot), half))
      let part = try self.slice(&builder, joined, [1, 5, 4, 10], axis: 3, 2..<5)
      return [try builder.add(Conv(), part, x[2]), try builder.add(Conv(padding: [1, 0, 1, 0]), half, x[2])]
    }
    let types = [image.type] + filters.map(\.type)
    try expectLowering("\(element)", types, [image] + filters, Self.exact, graph)
  }
}
