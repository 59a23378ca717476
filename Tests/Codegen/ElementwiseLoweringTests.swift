import IR
import Support
import Testing

@testable import Codegen

/// Maps of one op against `evaluate`, for every element type.
@Suite struct ElementwiseLoweringTests {
  static let elements = ElementType.allCases.filter { $0 != .string && $0 != .f8e8m0 }

  @Test(arguments: Unary.Function.allCases) func unary(_ function: Unary.Function) throws {
    for element in Self.elements where function.takes(element) {
      let x = ElementSamples.tensor(element, count: 300)
      try expectLowering(
        "\(function.rawValue) \(element)", [x.type], [x],
        closeness(element, isExact: Self.exact.contains(function), slack: Self.slack(function, element)),
        profiles: ["aarch64", "x86-64-v4"]
      ) { builder, x in [try builder.add(Unary(function), x)[0]] }
    }
  }

  private static let exact: Set<Unary.Function> = [
    .neg, .abs, .sign, .relu, .not, .sqrt, .reciprocal, .floor, .ceil, .round, .roundAway, .trunc, .bitNot, .isNaN,
  ]

  @Test(arguments: Binary.Function.allCases) func binary(_ function: Binary.Function) throws {
    for element in Self.elements where function.takes(element) {
      var (a, b) = ElementSamples.pairs(element, count: 23)
      if !element.isFloat {
        switch function {
        case .div, .mod, .rem, .floorDiv: (a, b) = kept(a, b) { $1 != 0 }
        case .pow: (a, b) = kept(a, b) { $0 != 0 || $1 >= 0 }
        default: break
        }
      }
      let exact: Set<Binary.Function> = [.pow, .atan2, .mod]
      try expectLowering(
        "\(function.rawValue) \(element)", [a.type, b.type], [a, b],
        closeness(element, isExact: !exact.contains(function)), profiles: ["aarch64", "x86-64-v4"]
      ) { builder, x in [try builder.add(Binary(function), x)[0]] }
    }
  }

  /// A known number as a limit takes a shorter way; a NaN must still come through, from either side.
  @Test(arguments: [Binary.Function.minimum, .maximum], [3.0, .nan, -.infinity]) func limits(
    _ function: Binary.Function, _ limit: Double
  ) throws {
    let x = Tensor(.f32, [6], doubles: [.nan, 2, -.infinity, .infinity, 4, -5])
    for isFirst in [true, false] {
      try expectLowering("\(function.rawValue) with \(limit)", [x.type], [x]) { builder, x in
        let bound = try builder.add(Constant(Tensor(.f32, [], doubles: [limit])))
        return [try builder.add(Binary(function), isFirst ? bound : x[0], isFirst ? x[0] : bound)]
      }
    }
  }

  @Test(arguments: [Binary.Function.div, .mod, .rem, .floorDiv, .pow]) func failsByZero(
    _ function: Binary.Function
  ) throws {
    let a = Tensor(.i32, [40], integers: (0..<40).map { $0 - 3 })
    let b = Tensor(.i32, [40], integers: (0..<40).map { $0 == 3 ? (function == .pow ? -1 : 0) : 2 })
    try expectLowering("\(function.rawValue)", [a.type, b.type], [a, b]) { builder, x in
      [try builder.add(Binary(function), x)[0]]
    }
  }

  @Test(arguments: Compare.Function.allCases) func compare(_ function: Compare.Function) throws {
    for element in Self.elements {
      if element == .bool, function != .equal, function != .notEqual { continue }
      let (a, b) = ElementSamples.pairs(element, count: 19)
      try expectLowering("\(function.rawValue) \(element)", [a.type, b.type], [a, b], profiles: ["x86-64-v4"]) {
        builder, x in
        let condition = try builder.add(Compare(function), x)[0]
        return [condition, try builder.add(Select(), [condition, x[0], x[1]])[0]]
      }
    }
  }

  private func kept(_ a: Tensor, _ b: Tensor, _ isKept: (Int, Int) -> Bool) -> (Tensor, Tensor) {
    let (x, y) = (a.integers(), b.integers())
    let positions = x.indices.filter { isKept(x[$0], y[$0]) }
    return (a.picking(positions, shape: [positions.count]), b.picking(positions, shape: [positions.count]))
  }

  /// What functions are off by: two units of f32, four of f64; narrower types round once more, to another neighbour.
  /// An error that vanishes against the arguments, which are not small, counts for nothing in functions whose factors
  /// come from sums of ones: below zero these differ by little.
  private static func slack(_ function: Unary.Function, _ element: ElementType) -> Double {
    switch function {
    case .silu: 0x1p-100
    case .gelu, .geluTanh: element == .f64 ? 0x1p-50 : 0x1p-24
    default: 0
    }
  }

  private func closeness(_ element: ElementType, isExact: Bool, slack: Double = 0) -> Closeness {
    guard element.isFloat, !isExact else { return .exact }
    switch element {
    case .f32: return .within(relative: 0x1p-22, absolute: max(slack, 0x1p-148))
    case .f64: return .within(relative: 0x1p-50, absolute: max(slack, 0x1p-1072))
    default:
      guard let format = SmallFloat(element) else { return .exact }
      return .within(
        relative: Double(sign: .plus, exponent: -format.mantissaBits, significand: 1),
        absolute: max(slack, format.decode(1)))
    }
  }
}
