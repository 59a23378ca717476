import IR
import Support
import Testing

@testable import Codegen

@Suite struct IntegerPowerTests {
  private static let types: [ElementType] = [.i8, .u8, .i16, .u16, .i32, .u32, .i64, .u64, .i4, .u4]

  @Test(arguments: types) func powers(_ element: ElementType) throws {
    let range = element.integerRange ?? 0...1
    let edges = [range.lowerBound, range.upperBound, 0, 1, -1, 2, -2, 3, -3, 5, 7, 31, 62, 63, 64, 65]
    var bases: [Int] = []
    var exponents: [Int] = []
    for base in edges where range.contains(base) {
      for exponent in edges where range.contains(exponent) && !(base == 0 && exponent < 0) {
        bases.append(base)
        exponents.append(exponent)
      }
    }
    let inputs = [bases, exponents].map { Tensor(element, [bases.count], integers: $0) }
    try expectLowering("\(element) pow", inputs.map(\.type), inputs) { builder, x in
      [try builder.add(Binary(.pow), x)[0]]
    }
    // One exponent for all, and scalars.
    let square = [inputs[0], Tensor(element, [], integers: [2])]
    try expectLowering("\(element) square", square.map(\.type), square) { builder, x in
      [try builder.add(Binary(.pow), x)[0]]
    }
  }

  @Test func zeroHasNoInverse() throws {
    let a = Tensor(.i32, [19], integers: (0..<19).map { $0 - 3 })
    for exponent in [-1, -2, 0] {
      let inputs = [a, Tensor(.i32, [], integers: [exponent])]
      try expectLowering("to the \(exponent)", inputs.map(\.type), inputs) { builder, x in
        [try builder.add(Binary(.pow), x)[0]]
      }
    }
  }
}
