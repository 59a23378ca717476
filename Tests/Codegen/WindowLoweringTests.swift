import IR
import Support
import TestSupport
import Testing

@testable import Codegen

@Suite struct WindowLoweringTests {
  private func pool(_ pool: Pool, _ x: Tensor, _ type: TensorType? = nil, profiles: [String] = loweringProfiles) throws
  {
    let isExact = pool.function == .max
    let bound = x.storage == .f16 ? 0x1p-10 : 0x1p-20
    try expectLowering(
      "\(pool.mnemonic) \(pool.window) of \(x.type)", [type ?? x.type], [x],
      symbols: ["n": 0...99, "h": 0...99, "w": 0...99, "c": 0...99],
      isExact ? .exact : .within(relative: bound, absolute: bound), profiles: profiles
    ) { builder, x in [try builder.add(pool, x[0])] }
  }

  @Test(arguments: Pool.Function.allCases) func shapes(_ function: Pool.Function) throws {
    var random = Seeded(8)
    for channels in [1, 3, 16, 70] {
      let x = random.tensor(.f32, [2, 7, 6, channels])
      try pool(Pool(function, window: [3, 2]), x)
      try pool(Pool(function, window: [3, 3], strides: [2, 2], padding: [1, 1, 1, 1]), x)
      try pool(Pool(function, window: [2, 2], strides: [3, 2], padding: [1, 0, 1, 2], ceilMode: true), x)
      try pool(Pool(function, window: [3, 3], padding: [2, 2, 2, 2], countPadding: true), x)
      try pool(
        Pool(function, window: [2, 3], padding: [0, 1, 0, 1], dilations: [3, 2], countPadding: true, ceilMode: true), x)
    }
    try pool(Pool(function, window: [3], strides: [2]), random.tensor(.f32, [1, 9, 5]))
    try pool(Pool(function, window: [2, 2, 2], padding: [1, 0, 0, 0, 1, 0]), random.tensor(.f32, [1, 3, 4, 5, 2]))
    // Windows that meet nothing but padding.
    try pool(Pool(function, window: [1, 1], padding: [2, 2, 2, 2]), random.tensor(.f32, [1, 2, 2, 3]))
    try pool(Pool(function, window: [2, 2]), random.tensor(.f32, [0, 4, 4, 3]))
  }

  @Test(arguments: Pool.Function.allCases) func symbols(_ function: Pool.Function) throws {
    var random = Seeded(9)
    let type = TensorType(.f32, [.symbol("n"), .symbol("h"), .symbol("w"), .symbol("c")])
    for shape in [[1, 5, 4, 3], [2, 3, 3, 17], [0, 3, 3, 2], [1, 3, 9, 0]] {
      let x = random.tensor(.f32, shape)
      try pool(Pool(function, window: [3, 3], strides: [2, 1], padding: [1, 1, 1, 1], ceilMode: true), x, type)
    }
  }

  /// Where no window fits the result is empty, where fewer than none would fit that is an error: whether the extent is
  /// known ahead of time or not.
  @Test func imagesTooSmall() throws {
    var random = Seeded(14)
    let open = TensorType(.f32, [1, .symbol("h"), .symbol("w"), 3])
    for (height, width) in [(0, 5), (1, 5), (2, 5), (0, 0), (3, 1)] {
      let x = random.tensor(.f32, [1, height, width, 3])
      for window in [[1, 1], [2, 1], [2, 2], [3, 2], [4, 1]] {
        for strides in [[1, 1], [2, 3], [3, 1]] {
          for type in [x.type, open] {
            for function in Pool.Function.allCases {
              for ceil in [false, true] {
                let kind = Pool(function, window: window, strides: strides, ceilMode: ceil)
                try expectLoweringOrRefusal("\(kind.mnemonic) \(window) \(strides)", type, x) { builder, x in
                  [try builder.add(kind, x[0])]
                }
              }
            }
            let filters = random.tensor(.f32, [4] + window + [3])
            try expectLoweringOrRefusal("conv \(window) \(strides)", type, x) { builder, x in
              let w = try builder.add(Constant(filters))
              return [try builder.add(Conv(strides: strides), [x[0], w])[0]]
            }
          }
        }
      }
    }
  }

  /// A fault that typing finds is as good as one that the run finds.
  private func expectLoweringOrRefusal(
    _ name: String, _ type: TensorType, _ x: Tensor,
    _ build: (inout GraphBuilder, [ValueID]) throws -> [ValueID]
  ) throws {
    let open = TensorType(.f32, type.shape.enumerated().map { $0 == 1 || $0 == 2 ? .symbol("hw\($0)") : $1 })
    var isRefused = false
    do { _ = try loweringModule([type], symbols: ["h": 0...99, "w": 0...99], build) } catch is Diagnostic {
      isRefused = true
    }
    guard isRefused else {
      return try expectLowering(
        name, [type], [x], symbols: ["h": 0...99, "w": 0...99], .within(relative: 1e-5, absolute: 1e-5),
        profiles: ["x86-64-v3"], build)
    }
    let module = try loweringModule([open], symbols: ["hw1": 0...99, "hw2": 0...99], build)
    #expect(throws: Diagnostic.self, "\(name)") { try Evaluator(module).run("main", [.tensor(x)]) }
  }

  @Test(arguments: [ElementType.f16, .f64, .i8, .u8, .i32, .i4]) func elements(_ element: ElementType) throws {
    var random = Seeded(10)
    let x = random.tensor(element, [1, 5, 5, 9])
    try pool(Pool(.max, window: [2, 2], padding: [1, 1, 1, 1]), x)
    try pool(Pool(.max, window: [1, 1], padding: [1, 1, 1, 1]), x)
    if element.isFloat { try pool(Pool(.average, window: [2, 3]), x) }
  }

  @Test func notANumber() throws {
    var numbers = (0..<9).map(Double.init)
    numbers[4] = .nan
    try pool(Pool(.max, window: [2, 2]), Tensor(.f32, [1, 3, 3, 1], doubles: numbers))
  }
}
