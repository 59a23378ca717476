import IR
import Support
import TestSupport
import Testing

@testable import Codegen

/// Gathers, scatters and what else addresses elements by indices that are data.
@Suite struct IndexingLoweringTests {
  private let moved: [ElementType] = [.f32, .f16, .i64, .bool, .u8, .i4, .u2, .f4e2m1]

  private func indices(_ random: inout Seeded, _ shape: [Int], below extents: [Int]) -> Tensor {
    let count = shape.reduce(1, *)
    let numbers = (0..<count).map { number -> Int in
      let extent = extents[number % extents.count]
      return random.integer(in: -extent...extent - 1)
    }
    return Tensor(.i64, shape, integers: numbers)
  }

  @Test func elementsAreGathered() throws {
    var random = Seeded(1)
    for element in moved {
      for (axis, shape) in [(0, [5, 4, 19]), (1, [3, 9, 19]), (2, [3, 4, 40]), (-1, [2, 4, 3]), (1, [3, 0, 19])] {
        let x = random.tensor(element, [3, 4, 19])
        let places = indices(&random, shape, below: [x.shape[(axis + 3) % 3]])
        try expectLowering(
          "gather_elements \(element) along \(axis)", [x.type, places.type], [x, places],
          profiles: element == .f32 ? loweringProfiles : ["x86-64-v4"]
        ) { builder, x in [try builder.add(GatherElements(axis: axis), x[0], x[1])] }
      }
    }
    for bad in [3, -4, Int.max, Int.min] {
      let x = random.tensor(.f32, [3])
      let places = Tensor(.i64, [20], integers: Array(repeating: 0, count: 19) + [bad])
      try expectLowering("gather_elements \(bad)", [x.type, places.type], [x, places]) { builder, x in
        [try builder.add(GatherElements(axis: 0), x[0], x[1])]
      }
    }
    // Longer along the other axis than the data: fails for (2, 3).
    for (n, m) in [(3, 2), (2, 3), (4, 4), (1, 0)] {
      let inputs = [random.tensor(.f32, [5, n]), indices(&random, [2, m], below: [5])]
      try expectLowering(
        "gather_elements \(m) of \(n)", [TensorType(.f32, [5, .symbol("n")]), TensorType(.i64, [2, .symbol("m")])],
        inputs, symbols: ["n": 0...99, "m": 0...99]
      ) { builder, x in [try builder.add(GatherElements(axis: 0), x[0], x[1])] }
    }
  }

  @Test func coordinatesAreGathered() throws {
    var random = Seeded(2)
    for element in moved {
      for (batch, shape, depth) in [(0, [7], 2), (0, [2, 3], 3), (1, [4, 5], 1), (2, [4, 3, 6], 1), (0, [3], 1)] {
        let x = random.tensor(element, [4, 3, 19])
        let places = indices(&random, shape + [depth], below: Array(x.shape[batch..<batch + depth]))
        try expectLowering(
          "gather_nd \(element) \(shape) by \(depth)", [x.type, places.type], [x, places],
          profiles: element == .f32 ? loweringProfiles : ["x86-64-v3"]
        ) { builder, x in [try builder.add(GatherND(batchDims: batch), x[0], x[1])] }
      }
    }
    for numbers in [[0, 4], [-5, 0], [3, -4]] {
      let inputs = [random.tensor(.f32, [4, 3]), Tensor(.i64, [1, 2], integers: numbers)]
      try expectLowering("gather_nd \(numbers)", inputs.map(\.type), inputs) { builder, x in
        [try builder.add(GatherND(), x[0], x[1])]
      }
    }
    for n in [0, 1, 17] {
      let inputs = [random.tensor(.f32, [n, 3, 2]), indices(&random, [n, 4, 1], below: [3])]
      try expectLowering(
        "gather_nd n = \(n)",
        [TensorType(.f32, [.symbol("n"), 3, 2]), TensorType(.i64, [.symbol("n"), 4, 1])], inputs,
        symbols: ["n": 0...99]
      ) { builder, x in [try builder.add(GatherND(batchDims: 1), x[0], x[1])] }
    }
  }

  private func reductions(_ element: ElementType) -> [ScatterReduction] {
    if element == .bool { return [.none, .min, .max] }
    return element == .f4e2m1 ? [.none] : ScatterReduction.allCases
  }

  @Test func elementsAreScattered() throws {
    var random = Seeded(3)
    for element in moved {
      for reduction in reductions(element) {
        for (axis, shape) in [(0, [5, 4, 17]), (1, [3, 9, 2]), (2, [3, 4, 40]), (-1, [2, 0, 3])] {
          let x = random.tensor(element, [3, 4, 19])
          let places = indices(&random, shape, below: [x.shape[(axis + 3) % 3]])
          let inputs = [x, places, random.tensor(element, shape)]
          try expectLowering(
            "scatter_elements \(element) \(reduction) along \(axis)", inputs.map(\.type), inputs,
            element.isFloat ? .within(relative: 1e-2, absolute: 1e-2) : .exact,
            profiles: element == .f32 ? loweringProfiles : ["x86-64-v3"]
          ) { builder, x in [try builder.add(ScatterElements(axis: axis, reduction), x[0], x[1], x[2])] }
        }
      }
    }
    for bad in [3, -4] {
      let inputs = [random.tensor(.f32, [3]), Tensor(.i64, [2], integers: [0, bad]), random.tensor(.f32, [2])]
      try expectLowering("scatter_elements \(bad)", inputs.map(\.type), inputs) { builder, x in
        [try builder.add(ScatterElements(axis: 0), x[0], x[1], x[2])]
      }
    }
  }

  @Test func coordinatesAreScattered() throws {
    var random = Seeded(4)
    for element in moved {
      for reduction in reductions(element) {
        for (shape, depth) in [([7], 2), ([2, 3], 3), ([5], 1), ([0], 2)] {
          let x = random.tensor(element, [4, 3, 19])
          let places = indices(&random, shape + [depth], below: Array(x.shape[..<depth]))
          let inputs = [x, places, random.tensor(element, shape + x.shape[depth...])]
          try expectLowering(
            "scatter_nd \(element) \(reduction) \(shape) by \(depth)", inputs.map(\.type), inputs,
            element.isFloat ? .within(relative: 1e-2, absolute: 1e-2) : .exact,
            profiles: element == .f32 ? loweringProfiles : ["x86-64-v4"]
          ) { builder, x in [try builder.add(ScatterND(reduction), x[0], x[1], x[2])] }
        }
      }
    }
    for (n, m) in [(1, 5), (4, 0), (9, 30)] {
      let inputs = [random.tensor(.f32, [n, 3]), indices(&random, [m, 1], below: [n]), random.tensor(.f32, [m, 3])]
      try expectLowering(
        "scatter_nd \(m) into \(n)",
        [
          TensorType(.f32, [.symbol("n"), 3]), TensorType(.i64, [.symbol("m"), 1]),
          TensorType(.f32, [.symbol("m"), 3]),
        ],
        inputs, symbols: ["n": 0...99, "m": 0...99], .within(relative: 1e-5, absolute: 1e-5)
      ) { builder, x in [try builder.add(ScatterND(.add), x[0], x[1], x[2])] }
    }
  }

  @Test func sequencesAreReversed() throws {
    var random = Seeded(5)
    for element in moved {
      for (batch, time) in [(0, 1), (1, 0), (0, 2), (2, 1)] {
        let x = random.tensor(element, [3, 4, 17])
        let lengths = (0..<x.shape[batch]).map { _ in random.integer(in: 0...x.shape[time]) }
        let inputs = [x, Tensor(.i64, [x.shape[batch]], integers: lengths)]
        try expectLowering(
          "reverse_sequence \(element) \(batch) \(time)", inputs.map(\.type), inputs,
          profiles: element == .f32 ? loweringProfiles : ["x86-64-v3"]
        ) { builder, x in [try builder.add(ReverseSequence(batchAxis: batch, timeAxis: time), x[0], x[1])] }
      }
    }
    for bad in [-1, 5] {
      let inputs = [random.tensor(.f32, [2, 4]), Tensor(.i64, [2], integers: [4, bad])]
      try expectLowering("reverse_sequence \(bad)", inputs.map(\.type), inputs) { builder, x in
        [try builder.add(ReverseSequence(batchAxis: 0, timeAxis: 1), x[0], x[1])]
      }
    }
  }

  @Test func numbersAreCounted() throws {
    for n in [0, 1, 7, 100] {
      let x = Tensor(.f32, [n], doubles: Array(repeating: 1, count: n))
      try expectLowering("iota \(n)", [TensorType(.f32, [.symbol("n")])], [x], symbols: ["n": 0...999]) { builder, x in
        [try builder.add(Iota(Dim.symbol("n") * 2))]
      }
    }
  }
}
