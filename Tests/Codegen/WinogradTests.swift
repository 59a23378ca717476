import IR
import Support
import Targets
import TestSupport
import Testing

@testable import Codegen

/// 3x3 convolutions of stride one by Winograd's transforms.
@Suite struct WinogradTests {
  private let random = Seeded(31)

  /// Against `evaluate`. A sum of n products of values below 2 may be off by some n * 4 * 2^-24 whatever its order; the
  /// transforms may cost four times that (direct sums stay far below the bound, and so do these).
  private func expect(
    _ image: [Int], filters columns: Int, padding: [Int] = [1, 1, 1, 1], batch: Dim? = nil, isActivated: Bool = false
  ) throws {
    var random = self.random
    let x = random.tensor(.f32, image)
    let w = random.tensor(.f32, [columns, 3, 3, image[3]])
    let b = random.tensor(.f32, [columns])
    var type = x.type
    if let batch { type = TensorType(.f32, [batch] + x.type.shape.dropFirst()) }
    let bound = Double(9 * image[3]) * 4 * 0x1p-24 * 4
    try expectLowering(
      "\(image) by \(columns), padding \(padding)", [type], [x], symbols: ["n": 0...9],
      .within(relative: 0, absolute: bound)
    ) { builder, x in
      let constants = [try builder.add(Constant(w)), try builder.add(Constant(b))]
      let y = try builder.add(Conv(padding: padding), [x[0]] + constants)[0]
      return isActivated ? [try builder.add(Unary(.relu), y)] : [y]
    }
  }

  @Test func borders() throws {
    for (height, width) in [(8, 8), (7, 9), (14, 5), (4, 13)] {
      try expect([1, height, width, 16], filters: 16)
      try expect([1, height, width, 16], filters: 16, padding: [0, 0, 0, 0])
    }
    try expect([1, 9, 10, 16], filters: 16, padding: [2, 0, 1, 2])
    try expect([1, 9, 10, 16], filters: 16, padding: [0, 1, 2, 0])
  }

  @Test func channelsThatFillNoVector() throws {
    for (channels, columns) in [(17, 19), (31, 33), (23, 16), (16, 37)] {
      try expect([1, 8, 9, channels], filters: columns)
    }
  }

  @Test func batches() throws {
    try expect([3, 8, 8, 16], filters: 24)
    for n in [0, 1, 3] { try expect([n, 8, 8, 16], filters: 24, batch: .symbol("n")) }
  }

  @Test func epilogues() throws { try expect([1, 8, 8, 16], filters: 16, isActivated: true) }

  /// What kernels a convolution of these sizes gets on a machine.
  private func families(
    _ image: [Int], filters: [Int], padding: Int = 1, stride: Int = 1, groups: Int = 1, profile: String = "znver5"
  ) throws -> [String] {
    let type = TensorType(.f32, image.map { Dim($0) })
    let module = try loweringModule([type]) { builder, x in
      let w = try builder.add(
        Constant(Tensor(.f32, filters, doubles: Array(repeating: 1, count: filters.reduce(1, *)))))
      let conv = Conv(strides: [stride, stride], padding: Array(repeating: padding, count: 4), groups: groups)
      return [try builder.add(conv, [x[0], w])[0]]
    }
    let program = try Scheduler.schedule(module, for: try Profile.named(profile))
    return program.kernels.map { String($0.name.dropFirst(2).prefix { $0 != "_" }) }
  }

  @Test func takenWhereItPays() throws {
    for profile in loweringProfiles {
      #expect(
        try families([1, 56, 56, 64], filters: [64, 3, 3, 64], profile: profile).contains("winograd"), "\(profile)")
    }
    // Few channels, strides, groups and other windows take the direct way.
    #expect(try !families([1, 56, 56, 8], filters: [64, 3, 3, 8]).contains("winograd"))
    #expect(try !families([1, 56, 56, 64], filters: [64, 3, 3, 64], stride: 2).contains("winograd"))
    #expect(try !families([1, 56, 56, 64], filters: [64, 3, 3, 32], groups: 2).contains("winograd"))
    #expect(try !families([1, 56, 56, 64], filters: [64, 5, 5, 64], padding: 2).contains("winograd"))
  }

  /// Each of the transforms' matrices is a dozen numbers; together they must make a convolution.
  @Test(arguments: [2, 4]) func filterMatrixSumsToTheFilter(_ outputs: Int) {
    let transform = WinogradTransform(outputs: outputs)
    let matrix = transform.filterMatrix
    #expect(matrix.count == transform.products)
    // The rows are values of the filter's polynomial over constants: those of a pair differ in the odd tap's sign.
    for row in stride(from: 1, to: transform.products - 1, by: 2) {
      let (one, other) = (matrix[row], matrix[row + 1])
      // Rounding of the square roots that the points are.
      #expect(abs(one[0] - other[0]) < 1e-15 && abs(one[1] + other[1]) < 1e-15)
    }
  }

  /// Points, not size, decide about rounding: the root-mean-square error stays within four times that of direct sums.
  @Test func roundsLikeDirectSums() throws {
    var random = self.random
    let (channels, columns) = (64, 32)
    let x = random.tensor(.f32, [1, 12, 12, channels])
    let w = random.tensor(.f32, [columns, 3, 3, channels])
    let module = try loweringModule([x.type]) { builder, x in
      [try builder.add(Conv(padding: [1, 1, 1, 1]), [x[0], try builder.add(Constant(w))])[0]]
    }
    let exact = try Evaluator(module).run("main", [.tensor(x)])[0].tensor!.doubles()
    let program = try Scheduler.schedule(module, for: try Profile.named("znver5"))
    #expect(program.kernels.contains { $0.name.contains("winograd") })
    let given = try ProgramInterpreter(program, threads: 1).run("main", [x])[0].doubles()
    var (squares, size) = (0.0, 0.0)
    for (a, b) in zip(exact, given) {
      squares += (a - b) * (a - b)
      size += a * a
    }
    // Direct sums of 576 products in f32: 3e-7 of the result's size.
    #expect((squares / size).squareRoot() < 4 * 3e-7)
  }
}
