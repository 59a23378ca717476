import Codegen
import LLVMBackend
import Testing

@Suite struct RandomKernelTests {
  static let seeds: [UInt64] = Array(1...150)

  @Test(arguments: ["host without bf16", "x86-64", "skylake-avx512"])
  func compiledEqualsInterpreted(_ name: String) throws {
    guard let machine = TestMachines.runnable.first(where: { $0.name == name })?.machine else { return }
    let kernels = Self.seeds.map { RandomKernel.make(seed: $0) }
    let loaded = try LoadedKernels(kernels, for: machine)
    for (kernel, seed) in zip(kernels, Self.seeds) {
      var expected = RandomKernel.inputs(kernel, seed: seed)
      var actual = expected
      let scalars = [Int(seed) * 3]
      let interpreter = try KernelInterpreter(kernel, hasFMA: machine.hasFMA)
      let status = try interpreter.run(&expected, scalars: scalars, thread: 1, threads: 4)
      #expect(try loaded.run(kernel.name, &actual, scalars: scalars, thread: 1, threads: 4) == status)
      for (number, buffer) in kernel.buffers.enumerated() {
        let difference = Self.difference(actual[number], expected[number], buffer.scalar)
        #expect(difference == nil, "\(kernel.name) \(buffer.name)")
      }
    }
  }

  @Test func readBack() throws {
    for seed in Self.seeds {
      let kernel = RandomKernel.make(seed: seed)
      try kernel.verify()
      let text = kernel.description
      let again = try Kernel(parsing: text)
      #expect(again == kernel.canonical())
      #expect(again.description == text)
      #expect(again.contentHash == kernel.contentHash)
    }
  }

  private static func difference(_ actual: [UInt8], _ expected: [UInt8], _ scalar: LoopScalar) -> String? {
    if actual == expected { return nil }
    for element in 0..<expected.count / scalar.bytes {
      let range = element * scalar.bytes..<(element + 1) * scalar.bytes
      let (x, y) = (TestValues.bits(actual[range]), TestValues.bits(expected[range]))
      if x != y && !TestValues.areNaN(x, y, scalar) {
        return "[\(element)]: \(String(x, radix: 16)), expected \(String(y, radix: 16))"
      }
    }
    return nil
  }
}
