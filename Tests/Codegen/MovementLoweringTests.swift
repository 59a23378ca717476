import IR
import Support
import TestSupport
import Testing

@testable import Codegen

@Suite struct MovementLoweringTests {
  private let moved: [ElementType] = [.f32, .f16, .i64, .bool, .u8, .i4, .u2, .f4e2m1]

  @Test func reshapeAliases() throws {
    var random = Seeded(1)
    for element in moved {
      let x = random.tensor(element, [4, 6])
      try expectLowering("reshape \(element)", [TensorType(element, [4, 6])], [x]) { builder, x in
        [try builder.add(Reshape(shape: [3, 8]), x[0])]
      }
    }
    let x = random.tensor(.f32, [5, 4])
    try expectLowering("reshape", [TensorType(.f32, [.symbol("n"), 4])], [x], symbols: ["n": 0...9]) { builder, x in
      let flat = try builder.add(Reshape(shape: [Dim.symbol("n") * 4]), x[0])
      return [try builder.add(Unary(.neg), flat)]
    }
  }

  @Test func transposes() throws {
    var random = Seeded(1)
    for element in moved {
      for shape in [[1, 1, 1], [3, 5, 7], [2, 17, 33], [0, 3, 2], [4, 16, 64]] {
        for permutation in [[0, 2, 1], [2, 1, 0], [1, 2, 0]] {
          let x = random.tensor(element, shape)
          try expectLowering(
            "transpose \(element)\(shape) by \(permutation)", [TensorType(element, shape.map { Dim($0) })], [x],
            profiles: element == .f32 ? loweringProfiles : ["x86-64-v3"]
          ) { builder, x in [try builder.add(Transpose(permutation: permutation), x[0])] }
        }
      }
    }
    for n in [0, 1, 15, 16, 17] {
      let x = random.tensor(.f32, [n, 5, n])
      try expectLowering(
        "transpose n = \(n)", [TensorType(.f32, [.symbol("n"), 5, .symbol("n")])], [x], symbols: ["n": 0...99]
      ) {
        builder, x in [try builder.add(Transpose(permutation: [2, 0, 1]), x[0])]
      }
    }
  }

  /// A few planes to or from elements side by side, whole vectors of them and what is left.
  @Test func interleavings() throws {
    var random = Seeded(1)
    for element in [ElementType.u8, .f16, .f32, .f64] {
      for (planes, length) in [(2, 16), (3, 37), (4, 64), (7, 33), (8, 21), (3, 5)] {
        for (shape, permutation) in [([2, planes, length], [0, 2, 1]), ([2, length, planes], [0, 2, 1])] {
          let x = random.tensor(element, shape)
          try expectLowering("interleave \(element)\(shape)", [x.type], [x]) { builder, x in
            [try builder.add(Transpose(permutation: permutation), x[0])]
          }
        }
      }
    }
    for n in [0, 1, 16, 35] {
      let x = random.tensor(.f32, [2, 3, n])
      let type = TensorType(.f32, [2, 3, .symbol("n")])
      try expectLowering("interleave n = \(n)", [type], [x], symbols: ["n": 0...99]) { builder, x in
        [try builder.add(Transpose(permutation: [0, 2, 1]), x[0])]
      }
    }
  }

  @Test func slices() throws {
    var random = Seeded(1)
    for element in moved {
      let x = random.tensor(element, [5, 40])
      for (starts, sizes, steps) in [
        ([1, 3], [3, 33], [1, 1]), ([4, 39], [5, 20], [-1, -2]), ([0, 1], [2, 13], [4, 3]),
        ([2, 39], [1, 1], [1, -900]),
        ([0, 0], [0, 3], [1, 1]),
      ] {
        try expectLowering(
          "slice \(element) \(starts) \(sizes) \(steps)", [TensorType(element, [5, 40])], [x],
          profiles: element == .f32 ? loweringProfiles : ["x86-64-v3"]
        ) { builder, x in
          [try builder.add(Slice(starts: starts.map { Dim($0) }, sizes: sizes.map { Dim($0) }, steps: steps), x[0])]
        }
      }
    }
    // The last m elements in reverse: fails where n < m.
    for (n, m) in [(5, 3), (20, 20), (3, 4), (7, 0), (0, 0)] {
      let inputs = [random.tensor(.f32, [n]), random.tensor(.f32, [m])]
      try expectLowering(
        "slice \(m) of \(n)", [TensorType(.f32, [.symbol("n")]), TensorType(.f32, [.symbol("m")])], inputs,
        symbols: ["n": 0...99, "m": 0...99]
      ) { builder, x in
        [try builder.add(Slice(starts: [Dim.symbol("n") - 1], sizes: [.symbol("m")], steps: [-1]), x[0])]
      }
    }
  }

  @Test func broadcasts() throws {
    var random = Seeded(1)
    for element in moved {
      let x = random.tensor(element, [3, 1])
      try expectLowering("broadcast \(element)", [TensorType(element, [3, 1])], [x]) { builder, x in
        [try builder.add(Broadcast(shape: [2, 3, 19]), x[0])]
      }
    }
    let inputs = [random.tensor(.f32, [1, 6]), random.tensor(.f32, [9])]
    try expectLowering(
      "broadcast", [TensorType(.f32, [1, .symbol("n")]), TensorType(.f32, [.symbol("m")])], inputs,
      symbols: ["n": 0...99, "m": 0...99]
    ) { builder, x in [try builder.add(Broadcast(shape: [.symbol("m"), .symbol("n")]), x[0])] }
  }

  @Test func concatenations() throws {
    var random = Seeded(1)
    for element in moved {
      for axis in [0, 1, -1] {
        var shapes = [[2, 3, 5], [2, 3, 5], [2, 3, 5]]
        shapes[1][(axis + 3) % 3] = 17
        shapes[2][(axis + 3) % 3] = 0
        let inputs = shapes.map { random.tensor(element, $0) }
        try expectLowering(
          "concat \(element) along \(axis)", inputs.map(\.type), inputs, profiles: ["x86-64-v3"]
        ) { builder, x in try builder.add(Concat(axis: axis), x) }
      }
    }
    let inputs = [random.tensor(.f32, [2, 5]), random.tensor(.f32, [2, 1])]
    try expectLowering(
      "concat", [TensorType(.f32, [2, .symbol("n")]), TensorType(.f32, [2, .symbol("m")])], inputs,
      symbols: ["n": 0...99, "m": 0...99]
    ) { builder, x in try builder.add(Concat(axis: 1), x) }
  }

  @Test func pads() throws {
    var random = Seeded(1)
    for element in [ElementType.f32, .f16, .i32, .i8, .i4] {
      for (before, after) in [
        ([0, 1, 2, 0], [0, 2, 1, 0]), ([1, 0, 0, 3], [0, 0, 0, 4]), ([0, -1, 2, 0], [0, 3, -2, 0]),
        ([0, 0, 0, 0], [0, 0, 0, 0]),
        ([0, -4, 0, 0], [0, 1, 0, 0]),
      ] {
        let x = random.tensor(element, [2, 4, 5, 3])
        try expectLowering(
          "pad \(element) \(before) \(after)", [x.type], [x],
          profiles: element == .f32 ? loweringProfiles : ["x86-64-v3"]
        ) { builder, x in [try builder.add(Pad(before: before, after: after, value: 2.5), x[0])] }
      }
    }
    for n in [0, 1, 3, 17] {
      let x = random.tensor(.f32, [n, n])
      try expectLowering("pad n = \(n)", [TensorType(.f32, [.symbol("n"), .symbol("n")])], [x], symbols: ["n": 0...99])
      { builder, x in
        [try builder.add(Pad(before: [1, 2], after: [-2, 20]), x[0])]
      }
    }
    let scalar = random.tensor(.f32, [])
    try expectLowering("pad a scalar", [scalar.type], [scalar]) { builder, x in
      [try builder.add(Pad(before: [], after: []), x[0])]
    }
  }

  @Test func gathers() throws {
    var random = Seeded(1)
    for element in moved {
      for axis in [0, 1, 2] {
        for indexType in [ElementType.i64, .i32, .i8] {
          let x = random.tensor(element, [3, 4, 19])
          let extent = x.shape[axis]
          let numbers = (0..<35).map { _ in random.integer(in: -extent...extent - 1) }
          let indices = Tensor(indexType, [5, 7], integers: numbers)
          try expectLowering(
            "gather \(element) along \(axis)", [x.type, indices.type], [x, indices],
            profiles: indexType == .i64 ? loweringProfiles : ["x86-64-v4"]
          ) { builder, x in [try builder.add(Gather(axis: axis), x[0], x[1])] }
        }
      }
    }
    for bad in [3, -4, Int.max, Int.min] {
      let x = random.tensor(.f32, [3])
      let indices = Tensor(.i64, [20], integers: Array(repeating: 0, count: 19) + [bad])
      try expectLowering("gather \(bad)", [x.type, indices.type], [x, indices]) { builder, x in
        [try builder.add(Gather(axis: 0), x[0], x[1])]
      }
    }
    for (n, m) in [(1, 0), (4, 1), (4, 9), (0, 0)] {
      let x = random.tensor(.f32, [n, 3])
      let indices = Tensor(.i64, [m], integers: (0..<m).map { $0 % max(n, 1) })
      try expectLowering(
        "gather \(m) of \(n)", [TensorType(.f32, [.symbol("n"), 3]), TensorType(.i64, [.symbol("m")])], [x, indices],
        symbols: ["n": 0...99, "m": 0...99]
      ) { builder, x in [try builder.add(Gather(axis: 0), x[0], x[1])] }
    }
  }
}
