import Codegen
import Support
import Testing

@Suite struct KernelInterpreterTests {
  static func floats(_ values: [Float]) -> [UInt8] {
    values.flatMap { value in withUnsafeBytes(of: value.bitPattern.littleEndian) { Array($0) } }
  }

  static func run(_ text: String, _ buffers: inout [[UInt8]], scalars: [Int] = []) throws -> Int {
    try KernelInterpreter(Kernel(parsing: text)).run(&buffers, scalars: scalars, stepLimit: 100_000)
  }

  @Test func sumsByALoop() throws {
    let text = """
      kernel @sum(x: read f32[*] align 4, y: write f32[1] align 4, n: index) {
        %0 = scalar n
        %1 = const i64 0
        %2 = const f32 0
        %6 = for %3 = %1 ..< %0 step 1 carry (%4 = %2) {
          %5 = load f32 x[%3]
          %7 = add %4, %5
          yield %7
        }
        store %6, y[0]
      }
      """
    var buffers = [Self.floats([1, 2, 3.5, 4]), Self.floats([0])]
    #expect(try Self.run(text, &buffers, scalars: [4]) == 0)
    #expect(buffers[1] == Self.floats([10.5]))
    #expect(throws: Diagnostic.self) { try Self.run(text, &buffers, scalars: [5]) }
    #expect(throws: Diagnostic.self) { try Self.run(text, &buffers) }
  }

  @Test func masksKeepAccessesInBounds() throws {
    let text = """
      kernel @tail(x: read f32[*] align 4, y: write f32[*] align 4, n: index) {
        %0 = scalar n
        %1 = trunc_bits %0 to i32
        %2 = splat i32x4 %1
        %3 = iota i32x4
        %4 = lt %3, %2
        %5 = load f32x4 x[0] mask %4
        store %5, y[0] mask %4
      }
      """
    var buffers = [Self.floats([1, 2, 3]), Self.floats([9, 9, 9])]
    #expect(try Self.run(text, &buffers, scalars: [2]) == 0)
    #expect(buffers[1] == Self.floats([1, 2, 9]))
    let thrown = #expect(throws: Diagnostic.self) { try Self.run(text, &buffers, scalars: [4]) }
    #expect(thrown?.message == "element 0 is out of bounds")
    #expect(thrown?.location?.path == "kernel @tail: %5 = load f32x4 x[0] mask %4")
  }

  @Test func checksLeaveWithTheirStatus() throws {
    let text = """
      kernel @guard(y: write i8[2] align 1, n: index) {
        %0 = scalar n
        %1 = const i64 10
        %2 = const i8 1
        store %2, y[0]
        %3 = const i64 0
        for %4 = %3 ..< %1 step 1 {
          %5 = lt %4, %0
          check %5 else 42
        }
        store %2, y[1]
      }
      """
    var buffers: [[UInt8]] = [[0, 0]]
    #expect(try Self.run(text, &buffers, scalars: [10]) == 0)
    #expect(buffers == [[1, 1]])
    buffers = [[0, 0]]
    #expect(try Self.run(text, &buffers, scalars: [5]) == 42)
    #expect(buffers == [[1, 0]])
  }

  @Test func endlessLoopsEnd() throws {
    let text = """
      kernel @forever(n: index) {
        while () {
          %0 = scalar n
          %1 = eq %0, %0
          condition %1
        } do {
        }
      }
      """
    var buffers: [[UInt8]] = []
    let thrown = #expect(throws: Diagnostic.self) { try Self.run(text, &buffers, scalars: [0]) }
    #expect(thrown?.message == "kernel @forever takes more steps than it is allowed")
  }

  @Test func carriedValuesSwap() throws {
    let text = """
      kernel @fibonacci(y: write i64[1] align 8, n: index) {
        %0 = scalar n
        %1 = const i64 0
        %2 = const i64 1
        %7, %8 = for %3 = %1 ..< %0 step 1 carry (%4 = %1, %5 = %2) {
          %6 = add %4, %5
          yield %5, %6
        }
        store %7, y[0]
      }
      """
    var buffers = [[UInt8](repeating: 0, count: 8)]
    #expect(try Self.run(text, &buffers, scalars: [50]) == 0)
    #expect(buffers[0].withUnsafeBytes { $0.loadUnaligned(as: Int.self) } == 12_586_269_025)
  }

  @Test(arguments: [
    ("div %0, %1", "division by zero"), ("rem_u %0, %1", "division by zero"), ("shl %0, %0", "a shift by 64"),
  ])
  func arithmeticFaultsAreErrors(_ operation: String, _ message: String) throws {
    let text = "kernel @k(n: index) {\n%0 = const i64 64\n%1 = scalar n\n%2 = \(operation)\n}"
    var buffers: [[UInt8]] = []
    let thrown = #expect(throws: Diagnostic.self) { try Self.run(text, &buffers, scalars: [0]) }
    #expect(thrown?.message == message)
  }

  @Test func claimsOfAlignmentAreChecked() throws {
    let text = "kernel @k(x: read f32[*] align 64, n: index) {\n%0 = scalar n\n%1 = load f32x4 x[%0] align 16\n}"
    var buffers = [Self.floats(Array(repeating: 1, count: 16))]
    #expect(try Self.run(text, &buffers, scalars: [4]) == 0)
    #expect(throws: Diagnostic.self) { try Self.run(text, &buffers, scalars: [2]) }
  }

  @Test func divisionOfTheLeastIntegerWraps() throws {
    let text = """
      kernel @k(y: write i32[2] align 4) {
        %0 = const i32 -2147483648
        %1 = const i32 -1
        %2 = div %0, %1
        %3 = rem %0, %1
        store %2, y[0]
        store %3, y[1]
      }
      """
    var buffers = [[UInt8](repeating: 1, count: 8)]
    #expect(try Self.run(text, &buffers) == 0)
    #expect(buffers[0] == [0, 0, 0, 0x80, 0, 0, 0, 0])
  }
}
