import IR
import Support
import TestSupport
import Testing

@testable import Codegen

/// What compares elements with each other or runs along an axis in order.
@Suite struct OrderingLoweringTests {
  private let compared: [ElementType] = [.f32, .f16, .bf16, .f64, .i64, .u64, .i8, .u16, .i4]

  /// Few different numbers, so that many are equal; special ones among floats.
  private func repeated(_ random: inout Seeded, _ element: ElementType, _ shape: [Int]) -> Tensor {
    let count = shape.reduce(1, *)
    guard element.isFloat else {
      let range = element.integerRange ?? 0...1
      let few = [range.lowerBound, range.upperBound, 0, 1, 3, 5].map { max($0, range.lowerBound) }
      return Tensor(element, shape, integers: (0..<count).map { _ in few[random.integer(in: 0...5)] })
    }
    let few = [0.0, -0.0, 1.5, -2, .infinity, -.infinity, .nan, 0.25]
    return Tensor(element, shape, doubles: (0..<count).map { _ in few[random.integer(in: 0...7)] })
  }

  @Test func extremesAreFound() throws {
    var random = Seeded(1)
    for element in compared {
      for shape in [[3, 40, 5], [2, 1, 33], [4, 7, 1], [0, 3, 2]] {
        for (axis, last) in [(0, false), (1, true), (2, false), (-1, true)] where shape[(axis + 3) % 3] > 0 {
          for function in ArgExtreme.Function.allCases {
            for x in [random.tensor(element, shape), repeated(&random, element, shape)] {
              try expectLowering(
                "\(function) \(element)\(shape) along \(axis)", [x.type], [x],
                profiles: element == .f32 ? loweringProfiles : ["x86-64-v3"]
              ) { builder, x in [try builder.add(ArgExtreme(function, axis: axis, last: last), x[0])] }
            }
          }
        }
      }
    }
    // An empty axis has no extreme, unless none is asked for.
    for (n, m) in [(0, 3), (0, 0), (3, 0), (20, 30)] {
      let x = random.tensor(.f32, [n, m])
      for axis in [0, 1] {
        try expectLowering(
          "arg_max \(n) \(m)", [TensorType(.f32, [.symbol("n"), .symbol("m")])], [x],
          symbols: ["n": 0...99, "m": 0...99]
        ) { builder, x in [try builder.add(ArgExtreme(.max, axis: axis), x[0])] }
      }
    }
  }

  @Test func sumsRunAlongAnAxis() throws {
    var random = Seeded(2)
    for element in compared {
      for shape in [[3, 9, 5], [2, 4, 33], [4, 0, 3]] {
        for axis in 0..<3 {
          for (exclusive, reverse) in [(false, false), (true, false), (false, true), (true, true)] {
            for function in Cumulative.Function.allCases {
              let x = random.tensor(element, shape)
              try expectLowering(
                "\(function) \(element)\(shape) along \(axis)", [x.type], [x],
                element.isFloat ? .within(relative: 2e-2, absolute: 2e-2) : .exact, profiles: ["x86-64-v3"]
              ) { builder, x in
                [try builder.add(Cumulative(function, axis: axis, exclusive: exclusive, reverse: reverse), x[0])]
              }
            }
          }
        }
      }
    }
    for n in [0, 1, 50] {
      let x = random.tensor(.f32, [n, n])
      try expectLowering(
        "cumulative_sum n = \(n)", [TensorType(.f32, [.symbol("n"), .symbol("n")])], [x], symbols: ["n": 0...99],
        .within(relative: 1e-5, absolute: 1e-4)
      ) { builder, x in [try builder.add(Cumulative(.sum, axis: 0), x[0])] }
    }
  }

  @Test func theBestAreChosen() throws {
    var random = Seeded(3)
    for element in compared {
      for (shape, axis, k) in [([3, 40], 1, 5), ([40, 3], 0, 40), ([2, 5, 4], 1, 1), ([4, 6], -1, 0), ([7], 0, 7)] {
        for largest in [true, false] {
          for x in [random.tensor(element, shape), repeated(&random, element, shape)] {
            try expectLowering(
              "top_k \(element)\(shape) k = \(k)", [x.type], [x],
              profiles: element == .f32 ? loweringProfiles : ["x86-64-v3"]
            ) { builder, x in try builder.add(TopK(axis: axis, k: Dim(k), largest: largest), [x[0]]) }
          }
        }
      }
    }
    // More than there are: fails.
    for (n, k) in [(5, 3), (3, 3), (3, 4), (0, 0), (3, -1)] {
      let inputs = [random.tensor(.f32, [2, n]), Tensor(.i64, [], integers: [k])]
      try expectLowering(
        "top_k \(k) of \(n)", [TensorType(.f32, [2, .symbol("n")]), TensorType(.i64, [])], inputs,
        symbols: ["n": 0...99, "k": 0...99]
      ) { builder, x in
        _ = try builder.add(Extent(symbol: "k"), x[1])
        return try builder.add(TopK(axis: 1, k: .symbol("k")), [x[0]])
      }
    }
  }

  @Test func slicesAreSortedOnce() throws {
    var random = Seeded(4)
    for element in compared {
      for shape in [[30], [1], [0], [12, 2], [9, 2, 2], [5, 0]] {
        for sorted in [true, false] {
          let x = repeated(&random, element, shape)
          try expectLowering(
            "unique \(element)\(shape)", [x.type], [x], symbols: ["s": 0...99],
            profiles: element == .f32 ? loweringProfiles : ["x86-64-v3"]
          ) { builder, x in try builder.add(Unique(extent: "s", sorted: sorted), [x[0]]) }
        }
      }
    }
  }

  @Test func overlappingBoxesAreLeftOut() throws {
    var random = Seeded(5)
    for (images, classes, count) in [(1, 1, 12), (2, 3, 20), (1, 2, 0), (3, 1, 1)] {
      for center in [true, false] {
        for (limit, overlap, threshold) in [(3, 0.3, 0.0), (100, 0.5, nil), (0, 0.5, nil), (9, 0.0, -1.0), (-1, 1, 3)] {
          let boxes = (0..<images * count * 4).map { _ in Double(random.integer(in: 0...8)) / 4 }
          let scores = (0..<images * classes * count).map { _ in Double(random.integer(in: -4...4)) / 4 }
          var inputs = [
            Tensor(.f32, [images, count, 4], doubles: boxes), Tensor(.f32, [images, classes, count], doubles: scores),
            Tensor.scalar(limit), Tensor.scalar(overlap),
          ]
          if let threshold { inputs.append(Tensor.scalar(threshold)) }
          try expectLowering(
            "non_max_suppression \(images) \(classes) \(count)", inputs.map(\.type), inputs, symbols: ["s": 0...9999]
          ) { builder, x in
            try builder.add(NonMaxSuppression(extent: "s", center: center), x.map { $0 } + (x.count < 5 ? [nil] : []))
          }
        }
      }
    }
  }
}
