import IR
import Support
import Testing

@testable import Codegen

@Suite struct RandomLoweringTests {
  @Test(arguments: [ElementType.u32, .u64]) func agreesWithEvaluate(_ element: ElementType) throws {
    for shape in [[], [1], [7], [3, 1001], [0, 4]] as [[Dim]] {
      for (seed, stream) in [(0, 0), (42, 1), (-1, 7)] {
        try expectLowering("\(element)\(shape)", [], []) { builder, _ in
          [try builder.add(RandomBits(element, shape: shape, seed: seed, stream: stream), [])[0]]
        }
      }
    }
  }

  /// SplitMix64's own numbers: the reference sequence of its author for seed 1234567.
  @Test func isSplitMix() {
    var state: UInt64 = 1_234_567
    let numbers = (0..<3).map { _ in
      state &+= RandomBits.step
      return RandomBits.mix(state)
    }
    #expect(numbers == [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423])
  }

  /// Bytes are equally frequent, and streams and seeds have nothing in common.
  @Test func isEven() throws {
    func bits(_ seed: Int, _ stream: Int) throws -> [Int] {
      let module = try loweringModule([]) { builder, _ in
        [try builder.add(RandomBits(.u32, shape: [65536], seed: seed, stream: stream), [])[0]]
      }
      guard case .tensor(let tensor) = try Evaluator(module).run("main", [])[0] else { return [] }
      return tensor.integers()
    }
    let all = [try bits(1, 0), try bits(1, 1), try bits(2, 0), try bits(0, 1)]
    for numbers in all {
      for shift in [0, 8, 16, 24] {
        var counts = [Double](repeating: 0, count: 256)
        for number in numbers { counts[number >> shift & 255] += 1 }
        let square = counts.reduce(0) { $0 + ($1 - 256) * ($1 - 256) / 256 }
        // 255 degrees of freedom: beyond these once in a million.
        #expect(square > 160 && square < 375)
      }
    }
    for (first, a) in all.enumerated() {
      for b in all[(first + 1)...] { #expect(zip(a, b).filter { $0 == $1 }.count < 3) }
    }
  }
}
