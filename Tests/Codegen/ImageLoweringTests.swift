import IR
import Support
import TestSupport
import Testing

@testable import Codegen

/// Resizing, sampling at places that are data, and putting images together.
@Suite struct ImageLoweringTests {
  /// Of two bits behind the leading one.
  private let coarse = Closeness.within(relative: 0.3, absolute: 0.1)
  private let close = Closeness.within(relative: 2e-2, absolute: 2e-2)

  private func rules() -> [ResampleRule] {
    var result: [ResampleRule] = []
    for coordinates in ResampleRule.Coordinates.allCases {
      for rounding in ResampleRule.Rounding.allCases {
        var rule = ResampleRule()
        rule.coordinates = coordinates
        rule.rounding = rounding
        result.append(rule)
      }
      for mode in [ResampleRule.Mode.linear, .cubic] {
        for (outside, antialias) in [(false, false), (true, false), (false, true), (true, true)] {
          var rule = ResampleRule()
          rule.coordinates = coordinates
          rule.mode = mode
          rule.excludeOutside = outside
          rule.antialias = antialias
          result.append(rule)
        }
      }
    }
    return result
  }

  @Test func axesAreResized() throws {
    var random = Seeded(1)
    for (number, rule) in rules().enumerated() {
      let region = rule.coordinates == .cropAndResize ? [0, -0.2, 0.3, 0, 1, 1.1, 0.8, 1] : []
      for (shape, scales) in [([1, 9, 4, 3], []), ([1, 3, 13, 3], [1, 0.6, 2.2, 1])] as [([Int], [Double])] {
        let x = random.tensor(.f32, [1, 5, 6, 3])
        try expectLowering(
          "resize \(rule) to \(shape)", [x.type], [x], .within(relative: 1e-4, absolute: 1e-4),
          profiles: [loweringProfiles[number % 3]]
        ) { builder, x in
          let kind = Resize(shape: shape.map { Dim($0) }, scales: scales, region: region, rule: rule, extrapolation: -3)
          return [try builder.add(kind, x[0])]
        }
      }
    }
  }

  @Test func everyElementTypeIsResized() throws {
    var random = Seeded(2)
    for element in [ElementType.f32, .f16, .bf16, .f64, .u8, .i8, .i32, .i4, .f8e5m2] {
      for mode in ResampleRule.Mode.allCases {
        for shape in [[2, 4, 5, 1], [2, 3, 8, 40], [1, 0, 3, 2]] {
          var rule = ResampleRule()
          rule.mode = mode
          let x = random.tensor(element, shape)
          let result = [shape[0], shape[1] * 2, shape[2] - 2, shape[3]].map { Dim($0) }
          try expectLowering(
            "resize \(mode) \(element)\(shape)", [x.type], [x],
            element.isFloat ? (element.bits == 8 ? coarse : close) : .exact,
            profiles: ["x86-64-v4"]
          ) { builder, x in [try builder.add(Resize(shape: result, rule: rule), x[0])] }
        }
      }
    }
  }

  @Test func openExtentsAreResized() throws {
    var random = Seeded(3)
    for (number, rule) in rules().enumerated() where !rule.antialias {
      for (n, m) in [(4, 7), (5, 1), (3, 3), (2, 0)] {
        let inputs = [random.tensor(.f32, [2, n, 3]), random.tensor(.f32, [m])]
        let types = [TensorType(.f32, [2, .symbol("n"), 3]), TensorType(.f32, [.symbol("m")])]
        try expectLowering(
          "resize \(rule) of \(n) to \(m)", types, inputs, symbols: ["n": 0...99, "m": 0...99],
          .within(relative: 1e-4, absolute: 1e-4), profiles: [loweringProfiles[number % 3]]
        ) { builder, x in
          let region = rule.coordinates == .cropAndResize ? [0, 0.1, 0, 1, 0.9, 1] : []
          return [try builder.add(Resize(shape: [2, .symbol("m"), 3], region: region, rule: rule), x[0])]
        }
      }
    }
    // Scales and regions that are data.
    for coordinates in ResampleRule.Coordinates.allCases {
      var rule = ResampleRule()
      rule.mode = .linear
      rule.coordinates = coordinates
      let inputs = [
        random.tensor(.f32, [5, 6]), Tensor(.f32, [2], doubles: [1.4, 0.5]),
        Tensor(.f64, [4], doubles: [0.1, -0.2, 1, 1.3]),
      ]
      try expectLowering(
        "resize by computed scales, \(coordinates)", inputs.map(\.type), inputs, .within(relative: 1e-4, absolute: 1e-4)
      ) { builder, x in [try builder.add(Resize(shape: [7, 3], rule: rule, extrapolation: 2), x[0], x[1], x[2])] }
    }
  }

  @Test func imagesAreSampledAtPlaces() throws {
    var random = Seeded(4)
    for mode in GridSample.Mode.allCases {
      for padding in GridSample.Padding.allCases {
        for corners in [true, false] {
          for (shape, places) in [
            ([2, 5, 3], [2, 4, 1]), ([1, 4, 5, 17], [1, 2, 3, 2]), ([1, 2, 3, 2, 1], [1, 2, 1, 2, 3]),
          ] {
            let x = random.tensor(.f32, shape)
            let grid = random.tensor(.f32, places)
            try expectLowering(
              "grid_sample \(mode) \(padding) \(shape)", [x.type, grid.type], [x, grid],
              .within(relative: 1e-3, absolute: 1e-3), profiles: ["x86-64-v3", "x86-64-v4"]
            ) { builder, x in [try builder.add(GridSample(mode, padding: padding, alignCorners: corners), x[0], x[1])] }
          }
        }
      }
    }
    let x = Tensor(.f32, [1, 1, 2, 1], doubles: [1, 2])
    let grid = Tensor(.f32, [1, 1, 5, 2], doubles: [.nan, .infinity, -.infinity, 0, 1e30, -1e30, 0, 0, 3, 3])
    for padding in GridSample.Padding.allCases {
      for corners in [true, false] {
        try expectLowering("grid_sample far away", [x.type, grid.type], [x, grid], close) { builder, x in
          [try builder.add(GridSample(.linear, padding: padding, alignCorners: corners), x[0], x[1])]
        }
      }
    }
    for element in [ElementType.f16, .f64] {
      let x = random.tensor(element, [1, 4, 5, 3])
      let grid = random.tensor(element, [1, 2, 3, 2])
      try expectLowering("grid_sample \(element)", [x.type, grid.type], [x, grid], close) { builder, x in
        [try builder.add(GridSample(.cubic, padding: .border, alignCorners: false), x[0], x[1])]
      }
    }
  }

  @Test func regionsArePooled() throws {
    var random = Seeded(5)
    let boxes = [0, 0, 7, 9, 1.5, 2, 6, 4.5, -3, -2, 20, 30, 5, 5, 2, 1, 3, 3, 3, 3]
    for samples in [0, 1, 3] {
      for (isMax, half) in [(true, true), (true, false), (false, true), (false, false)] {
        for element in [ElementType.f32, .f64] {
          let inputs = [
            random.tensor(element, [2, 9, 8, 5]), Tensor(element, [5, 4], doubles: boxes),
            Tensor(.i64, [5], integers: [0, 1, 1, 0, 0]),
          ]
          try expectLowering(
            "region_align \(samples) \(isMax) \(half)", inputs.map(\.type), inputs,
            .within(relative: 1e-3, absolute: 1e-3), profiles: ["aarch64", "x86-64-v4"]
          ) { builder, x in
            let kind = RegionAlign(size: [3, 2], samples: samples, scale: 0.75, max: isMax, halfPixel: half)
            return [try builder.add(kind, x[0], x[1], x[2])]
          }
        }
      }
    }
    for (image, edge) in [(2, 4.0), (-1, 4), (0, 1e30), (0, .infinity)] {
      let inputs = [
        random.tensor(.f32, [2, 4, 4, 1]), Tensor(.f32, [1, 4], doubles: [0, 0, edge, 4]),
        Tensor(.i64, [1], integers: [image]),
      ]
      try expectLowering("region_align \(image) \(edge)", inputs.map(\.type), inputs) { builder, x in
        let kind = RegionAlign(size: [1, 1], samples: 0, scale: 1, max: false, halfPixel: true)
        return [try builder.add(kind, x[0], x[1], x[2])]
      }
    }
  }

  @Test func windowsAreFolded() throws {
    var random = Seeded(6)
    for element in [ElementType.f32, .f16, .i8, .i64, .i4] {
      for (spatial, window, strides, padding, dilations) in [
        ([6], [3], [1], [1, 1], [1]), ([5, 7], [2, 3], [2, 1], [0, 1, 1, 1], [1, 2]),
        ([3, 4, 5], [1, 2, 2], [1, 2, 1], [], []),
      ] {
        let kind = Fold(
          spatial: spatial.map { Dim($0) }, window: window, strides: strides, padding: padding, dilations: dilations)
        let places = try kind.geometry.extents(kind.spatial).compactMap(\.constant).reduce(1, *)
        let x = random.tensor(element, [2, 3 * window.reduce(1, *), places])
        try expectLowering(
          "fold \(element) \(spatial)", [x.type], [x], element.isFloat ? close : .exact, profiles: ["x86-64-v3"]
        ) { builder, x in [try builder.add(kind, x[0])] }
      }
    }
  }

  @Test func greatestElementsArePlaced() throws {
    var random = Seeded(7)
    for element in [ElementType.f32, .f16, .i8, .u8] {
      for (shape, window, strides, padding, ceil) in [
        ([2, 9, 3], [3], [2], [1, 1], false), ([1, 6, 7, 17], [2, 3], [2, 2], [0, 1, 1, 1], true),
        ([1, 3, 4, 5, 2], [2, 2, 2], [1, 1, 1], [], false),
      ] {
        let x = random.tensor(element, shape)
        let pool = Pool(.max, window: window, strides: strides, padding: padding, ceilMode: ceil)
        try expectLowering("max_pool_index \(element)\(shape)", [x.type], [x], profiles: ["x86-64-v3", "x86-64-v4"]) {
          builder, x in [try builder.add(MaxPoolIndex(pool), x[0])]
        }
      }
    }
  }
}
