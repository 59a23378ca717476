import IR
import Support
import TestSupport
import Testing

@testable import Codegen

@Suite struct ReductionLoweringTests {
  /// Sums of f32 in any order: a small multiple of n units in the last place of the sum of magnitudes, which is at most
  /// 2n here.
  private func sums(_ element: ElementType, of count: Int) -> Closeness {
    let unit =
      switch element {
      case .f16: 0x1p-10
      case .bf16: 0x1p-7
      case .f64: 0x1p-52
      case .f8e5m2: 0x1p-2
      default: 0x1p-23
      }
    return .within(relative: 2 * unit, absolute: Double(count) * 2 * 0x1p-22)
  }

  private func reduce(
    _ function: Reduce.Function, _ x: Tensor, _ axes: [Int], keepDims: Bool = false, count: Int,
    profiles: [String] = loweringProfiles
  ) throws {
    let element = x.storage ?? .f32
    let isSum = function == .sum || function == .mean || function == .prod
    let closeness: Closeness = element.isFloat && isSum ? sums(element, of: count) : .exact
    try expectLowering(
      "\(function.rawValue) of \(x.type) along \(axes)", [x.type], [x], closeness, profiles: profiles
    ) { builder, x in [try builder.add(Reduce(function, axes: axes, keepDims: keepDims), x[0])] }
  }

  @Test(arguments: Reduce.Function.allCases) func axes(_ function: Reduce.Function) throws {
    var random = Seeded(2)
    for shape in [[2, 5, 33], [3, 17, 4], [1, 64, 1], [2, 4, 150]] {
      let x = random.tensor(.f32, shape)
      for axes in [[], [0], [1], [2], [0, 1], [1, 2], [0, 2]] {
        try reduce(
          function, x, axes, count: 300, profiles: axes == [2] ? loweringProfiles : ["x86-64-v3", "x86-64-v4"])
      }
      try reduce(function, x, [1], keepDims: true, count: 300)
    }
  }

  @Test(arguments: [ElementType.f64, .f16, .bf16, .f8e5m2, .i64, .u64, .i32, .u32, .i16, .i8, .u8, .i4, .u2])
  func elements(_ element: ElementType) throws {
    var random = Seeded(3)
    for function in Reduce.Function.allCases {
      let x = random.tensor(element, [3, 37])
      try reduce(function, x, [0], count: 40)
      try reduce(function, x, [1], count: 40)
    }
  }

  /// Equal numbers make every addition of a chain round the same way: added one by one, these are off by 1.6e-5.
  /// Variances that a model spells out as E[x^2] - E[x]^2 live on the digits behind.
  @Test func longSumsKeepTheirDigits() throws {
    for (shape, axis) in [([2048, 70], 0), ([3, 2048, 5], 1), ([2, 2048], 1), ([3, 50_000], 1)] {
      let x = Tensor(.f32, shape, doubles: Array(repeating: 0.1, count: shape.reduce(1, *)))
      let open = TensorType(.f32, shape.enumerated().map { $0 == axis ? .symbol("n") : Dim($1) })
      for type in [x.type, open] {
        for function in [Reduce.Function.sum, .mean] {
          try expectLowering(
            "\(function.rawValue) of \(type)", [type], [x], symbols: ["n": 1...100_000], .relative(2e-6),
            profiles: ["x86-64-v3"]
          ) { builder, x in [try builder.add(Reduce(function, axes: [axis]), x[0])] }
        }
      }
    }
  }

  @Test func bools() throws {
    var random = Seeded(4)
    for function in [Reduce.Function.max, .min] {
      for axes in [[0], [1]] { try reduce(function, random.tensor(.bool, [4, 35]), axes, count: 0) }
    }
  }

  @Test func notANumber() throws {
    for length in [1, 3, 16, 65] {
      for place in [0, length / 2, length - 1] {
        var numbers = (0..<length).map { Double($0) - 7 }
        numbers[place] = .nan
        for function in [Reduce.Function.max, .min] {
          try reduce(function, Tensor(.f32, [1, length], doubles: numbers), [1], count: 0)
          try reduce(function, Tensor(.f32, [length, 1], doubles: numbers), [0], count: 0)
          try reduce(function, Tensor(.f32, [length, 2], doubles: numbers + numbers), [0], count: 0)
        }
      }
    }
  }

  @Test(arguments: Reduce.Function.allCases) func symbols(_ function: Reduce.Function) throws {
    var random = Seeded(5)
    for element in [ElementType.f32, .i32] {
      for (n, m) in [(0, 3), (3, 0), (1, 1), (15, 16), (17, 7), (5, 129)] {
        let x = random.tensor(element, [n, m])
        let type = TensorType(element, [.symbol("n"), .symbol("m")])
        for axes in [[0], [1], []] {
          try expectLowering(
            "\(function.rawValue) \(element) \(n) x \(m) along \(axes)", [type], [x],
            symbols: ["n": 0...999, "m": 0...999],
            element.isFloat ? sums(element, of: 300) : .exact
          ) { builder, x in [try builder.add(Reduce(function, axes: axes), x[0])] }
        }
      }
    }
  }

  @Test func ofNothing() throws {
    for function in Reduce.Function.allCases {
      for element in [ElementType.f32, .i8] {
        let x = Tensor(element, [3, 0], doubles: [])
        try reduce(function, x, [1], count: 0)
        try reduce(function, x, [0], count: 0)
      }
    }
  }

  @Test func softmaxes() throws {
    var random = Seeded(6)
    let close = Closeness.within(relative: 0x1p-20, absolute: 0x1p-126)
    for element in [ElementType.f32, .f64, .f16] {
      for shape in [[3, 10], [1, 1], [2, 16], [2, 31], [1, 300], [2, 5, 3], [2, 3, 37], [0, 4], [4, 0]] {
        for axis in 0..<shape.count {
          let x = random.tensor(element, shape)
          try expectLowering(
            "softmax \(x.type) along \(axis)", [x.type], [x],
            element == .f16 ? .within(relative: 0x1p-9, absolute: 0x1p-24) : close
          ) { builder, x in [try builder.add(Softmax(axis: axis), x[0])] }
        }
      }
    }
    for (n, m) in [(0, 3), (3, 0), (1, 17), (4, 70)] {
      let x = random.tensor(.f32, [n, m])
      let type = TensorType(.f32, [.symbol("n"), .symbol("m")])
      for axis in [0, 1] {
        try expectLowering("softmax \(n) x \(m)", [type], [x], symbols: ["n": 0...999, "m": 0...999], close) {
          builder, x in [try builder.add(Softmax(axis: axis), x[0])]
        }
      }
    }
    let infinity = Double.infinity
    let rows: [[Double]] = [
      [-infinity, -infinity, -infinity], [-infinity, 1, -infinity], [infinity, 1, 2], [.nan, 1, 2], [1, 2, .nan],
      [1e30, -1e30, 0],
    ]
    for row in rows {
      let x = Tensor(.f32, [3], doubles: row)
      try expectLowering("softmax \(row)", [x.type], [x], close) { builder, x in
        [try builder.add(Softmax(axis: 0), x[0])]
      }
    }
  }

  @Test func nonZeros() throws {
    var random = Seeded(7)
    for element in [ElementType.bool, .f32, .i64, .u8, .i4] {
      for shape in [[], [40], [3, 5, 2], [0, 3]] {
        let count = shape.reduce(1, *)
        let x = Tensor(element, shape, integers: (0..<count).map { _ in random.integer(in: 0...1) })
        try expectLowering("non_zero \(x.type)", [x.type], [x], symbols: ["s": 0...99]) { builder, x in
          let positions = try builder.add(NonZero(extent: "s"), x[0])
          // Something that takes the new symbol.
          return [positions, try builder.add(Reduce(.sum, axes: [1]), positions)]
        }
      }
    }
    let x = random.tensor(.f32, [7, 3])
    try expectLowering("non_zero", [TensorType(.f32, [.symbol("n"), 3])], [x], symbols: ["s": 0...99, "n": 0...99]) {
      builder, x in [try builder.add(NonZero(extent: "s"), x[0])]
    }
    // More than the symbol's range allows.
    try expectLowering("non_zero", [x.type], [x], symbols: ["s": 0...3]) { builder, x in
      [try builder.add(NonZero(extent: "s"), x[0])]
    }
  }
}
