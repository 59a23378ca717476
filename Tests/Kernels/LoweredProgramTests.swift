import Codegen
import IR
import LLVMBackend
import Support
import Targets
import TestSupport
import Testing

/// Whole programs with compiled kernels against the same programs interpreted: what generators emit for real shapes
/// survives the backend.
@Suite struct LoweredProgramTests {
  private struct Case {
    var name: String
    var inputs: [Tensor]
    var program: Program
  }

  /// Profiles whose code this machine can run.
  static let profiles: [String] = {
    let features = (try? Profile.host())?.vectorBits ?? 0
    return ["x86-64-v3", "x86-64-v4"].filter { name in
      guard let profile = try? Profile.named(name) else { return false }
      return profile.architecture == (try? Profile.host())?.architecture && profile.vectorBits <= features
    }
  }()

  @Test(arguments: profiles) func compiledEqualsInterpreted(_ name: String) throws {
    let profile = try Profile.named(name)
    let cases = try allCases(profile)
    // Names tell kernels by content: one of each is enough.
    var kernels: [String: Kernel] = [:]
    for test in cases { for kernel in test.program.kernels { kernels[kernel.name] = kernel } }
    let loaded = try LoadedKernels(kernels.values.sorted { $0.name < $1.name }, for: MachineOptions(profile))
    for test in cases {
      for threads in [1, 3] {
        let interpreted = try ProgramInterpreter(test.program, threads: threads, hasFMA: profile.hasFMA)
        let compiled = try ProgramInterpreter(test.program, threads: threads)
        interpreted.splitsSmallWork = true
        compiled.splitsSmallWork = true
        compiled.runner = { kernel, buffers, scalars, thread, threads throws(Diagnostic) in
          do {
            return try loaded.run(kernel, &buffers, scalars: scalars, thread: thread, threads: threads)
          } catch { throw Diagnostic.bug("\(error)") }
        }
        let expected = try interpreted.run("main", test.inputs)
        let actual = try compiled.run("main", test.inputs)
        for (a, b) in zip(actual, expected) {
          let places = zip(a.doubles(), b.doubles()).enumerated().filter { _, pair in
            pair.0 != pair.1 && !(pair.0.isNaN && pair.1.isNaN)
          }
          #expect(places.isEmpty, "\(test.name), \(threads) threads")
        }
      }
    }
  }

  // MARK: Cases

  private func allCases(_ profile: Profile) throws -> [Case] {
    var cases: [Case] = []
    var random = Seeded(1)

    func tensor(_ element: ElementType, _ shape: [Int]) -> Tensor {
      let range = element.integerRange ?? -1000...1000
      let numbers = (0..<shape.reduce(1, *)).map { _ in
        max(range.lowerBound, min(range.upperBound, Int(random.next() % 255) - 127))
      }
      return Tensor(element, shape, doubles: numbers.map { element.isFloat ? Double($0) / 32 : Double($0) })
    }
    func add(
      _ name: String, _ inputs: [Tensor], _ build: (inout GraphBuilder, [ValueID]) throws -> [ValueID]
    ) throws {
      // Once with constant extents, once with a symbol for each.
      for isSymbolic in [false, true] {
        var module = Module(name: "test")
        var types = inputs.map(\.type)
        if isSymbolic {
          for number in types.indices where types[number].element.storage != nil && types[number].rank == 2 {
            types[number].shape = [.symbol("n\(number)"), .symbol("m\(number)")]
            module.declare(symbol: "n\(number)", in: 0...9999)
            module.declare(symbol: "m\(number)", in: 0...9999)
          }
          if types == inputs.map(\.type) { continue }
        }
        module.declare(symbol: "s", in: 0...9999)
        var builder = GraphBuilder(module: module, function: Function(name: "main"))
        let arguments = types.enumerated().map { builder.argument("x\($0.offset)", ValueFact($0.element)) }
        let results = try build(&builder, arguments)
        builder.function.setResults(results.enumerated().map { ("y\($0.offset)", $0.element) })
        let label = isSymbolic ? "\(name), symbolic" : name
        cases.append(
          Case(name: label, inputs: inputs, program: try Scheduler.schedule(builder.finish(), for: profile)))
      }
    }

    for element in [ElementType.f32, .f16, .i64, .u8, .bool, .i4] {
      try add("transpose \(element)", [tensor(element, [19, 70])]) {
        [try $0.add(Transpose(permutation: [1, 0]), $1[0])]
      }
      try add("slice \(element)", [tensor(element, [5, 40, 3])]) {
        [try $0.add(Slice(starts: [4, 39, 0], sizes: [5, 20, 2], steps: [-1, -2, 1]), $1[0])]
      }
      try add("concat \(element)", [tensor(element, [3, 40]), tensor(element, [3, 7])]) {
        try $0.add(Concat(axis: 1), $1)
      }
      let indices = Tensor(.i64, [35], integers: (0..<35).map { $0 % 14 - 7 })
      for axis in [0, 1] {
        try add("gather \(element)", [tensor(element, [7, 7]), indices]) {
          [try $0.add(Gather(axis: axis), $1[0], $1[1])]
        }
      }
      try add("non_zero \(element)", [tensor(element, [7, 9])]) { [try $0.add(NonZero(extent: "s"), $1[0])] }
      if element != .bool {
        try add("pad \(element)", [tensor(element, [2, 5, 5, 3])]) {
          [try $0.add(Pad(before: [0, 1, 2, 0], after: [0, 2, -1, 0], value: 3), $1[0])]
        }
        for function in Reduce.Function.allCases {
          for axes in [[0], [1], []] {
            try add("\(function.rawValue) \(element) \(axes)", [tensor(element, [37, 150])]) {
              [try $0.add(Reduce(function, axes: axes), $1[0])]
            }
          }
        }
        if element == .i64 { continue }
        try add("max_pool \(element)", [tensor(element, [1, 6, 6, 70])]) {
          [try $0.add(Pool(.max, window: [3, 2], strides: [2, 2], padding: [1, 1, 1, 1]), $1[0])]
        }
      }
    }
    for function in [Reduce.Function.max, .min] {
      for axes in [[0], [1]] {
        try add("\(function.rawValue) bool", [tensor(.bool, [37, 150])]) {
          [try $0.add(Reduce(function, axes: axes), $1[0])]
        }
      }
    }
    for element in [ElementType.f32, .f16, .f64] {
      for shape in [[3, 10], [2, 500], [1, 64]] {
        for axis in [0, 1] {
          try add("softmax \(element)\(shape) along \(axis)", [tensor(element, shape)]) {
            [try $0.add(Softmax(axis: axis), $1[0])]
          }
        }
      }
      try add("avg_pool \(element)", [tensor(element, [1, 6, 6, 19])]) {
        [try $0.add(Pool(.average, window: [3, 2], padding: [1, 1, 1, 1], countPadding: true), $1[0])]
      }
    }
    for element in [ElementType.i8, .u8, .i32, .i4] {
      for rounding in QuantizationRounding.allCases {
        let parameters = [Tensor(.f32, [], doubles: [0.03]), Tensor(element, [], integers: [3])]
        try add("quantize \(element)", [tensor(.f32, [3, 43])] + parameters) {
          let q = try $0.add(Quantize(to: .plain(element), rounding: rounding), $1)[0]
          return [q, try $0.add(Dequantize(), [q, $1[1], $1[2]])[0]]
        }
      }
    }
    for format in BlockFormat.all {
      let bytes = (0..<8 * format.bytesPerBlock).map { UInt8(truncatingIfNeeded: $0 * 7 + 0x2c) & 0x3f }
      let weight = try Tensor(
        element: .block(format), shape: [4, 2 * format.valuesPerBlock], bytes: ByteView(copying: bytes))
      try add("dequantize \(format.name)", [weight]) { [try $0.add(Dequantize(), [$1[0]])[0]] }
    }
    for element in [ElementType.f32, .f64, .bf16, .i32] {
      for function in Unary.Function.allCases where function.takes(element) {
        try add("\(function.rawValue) \(element)", [tensor(element, [150])]) { [try $0.add(Unary(function), $1)[0]] }
      }
      let nonzero = tensor(element, [150]).doubles().map { $0 == 0 ? 1 : $0 }
      for function in Binary.Function.allCases where function.takes(element) {
        let operands = [tensor(element, [150]), Tensor(element, [150], doubles: nonzero.map { abs($0) })]
        try add("\(function.rawValue) \(element)", operands) { [try $0.add(Binary(function), $1)[0]] }
      }
    }
    let elements = ElementType.allCases.filter { $0 != .string }
    for from in elements {
      let inputs = [tensor(from, [150])]
      try add("cast \(from)", inputs) { builder, x in
        try elements.filter { $0 != from }.map { try builder.add(Cast(to: $0), x)[0] }
      }
    }
    try add("random_bits", []) { builder, _ in
      [
        try builder.add(RandomBits(.u32, shape: [3, 43], seed: 5), [])[0],
        try builder.add(RandomBits(.u64, shape: [1001], seed: 5, stream: 2), [])[0],
      ]
    }
    try add("determinant", [tensor(.f32, [3, 7, 7])]) { [try $0.add(Determinant(), $1)[0]] }
    for kind in [FakeQuant(), FakeQuant(bits: 4, signed: false, narrow: true, rounding: .tflite)] {
      let parameters = [Tensor(.f32, [], doubles: [0.03]), Tensor(.i32, [], integers: [3])]
      try add("fake_quant", [tensor(.f32, [3, 43])] + parameters) { [try $0.add(kind, $1)[0]] }
    }
    return cases
  }
}
