import Codegen
import Support
import Testing

@Suite struct KernelVerifierTests {
  /// A body with a fault, and what the verifier says of it.
  static let faults: [(body: String, error: String)] = [
    ("%0 = const f32 1\n%1 = const i32 1\n%2 = add %0, %1", "%1 is i32, expected f32"),
    ("%0 = const f32 1\n%1 = and %0, %0", "and does not work on f32"),
    ("%0 = const i32 1\n%1 = sqrt %0", "sqrt does not work on i32"),
    ("%0 = const f32 1\n%1 = lt_u %0, %0", "lt_u does not work on f32"),
    ("%0 = thread\nif %0 {\n}", "%0 is i64, expected i1"),
    ("%0 = thread\nfor %1 = %0 ..< %0 step 0 {\n}", "the step is 0"),
    ("%0 = thread\nfor %1 = %0 ..< %0 step -4 {\n}", "the step is -4"),
    ("%0 = thread\nfor %1 = %0 ..< %0 step 1 {\n%2 = thread\n}\n%3 = add %2, %2", "%2 is not defined here"),
    ("%0 = thread\n%3 = for %1 = %0 ..< %0 step 1 carry (%2 = %0) {\n}", "1 values do not pair with 0"),
    ("%0 = const f32 1\nstore %0, x[0]", "buffer x is only read"),
    ("%0 = load f32 y[0]", "buffer y is only written"),
    ("%0 = load f32 x[64]", "element 64 is out of bounds: there are 64"),
    ("%0 = load f32x16 x[56]", "element 56 is out of bounds: there are 64"),
    ("%0 = load f32 x[-1]", "element -1 is out of bounds"),
    ("%0 = const i64 63\n%1 = load f32x4 x[%0]", "element 63 is out of bounds: there are 64"),
    ("%0 = load f32x16 x[8] align 64", "element 8 is not aligned to 64"),
    ("%0 = load f32x16 x[0] align 128", "the access claims 128 bytes of alignment, the buffer has 64"),
    ("%0 = load f32x16 x[0] align 12", "an alignment of 12"),
    (
      "%0 = iota i32x4\n%1 = lt %0, %0\n%2 = load f32x8 x[0] mask %1",
      "%1 is i1x4, expected i1x8"
    ),
    ("%0 = iota i8x4\n%1 = gather f32x4 x[0][%0]", "indices are i8x4, expected i32 or i64, one a lane"),
    ("%0 = iota i32x4\n%1 = gather f64x4 x[0][%0]", "lanes and elements differ in size"),
    ("%0 = iota i32x4\n%1 = extract %0[4]", "i32x4 has no lane 4"),
    ("%0 = iota i32x4\n%1 = shuffle %0, %0 [0, 8]", "two i32x4 have no lane 8"),
    ("%0 = iota i32x4\n%1 = reduce sub %0", "sub does not reduce i32x4"),
    ("%0 = iota f32x4", "iota counts in integers"),
    ("%0 = iota i32x4\n%1 = sext %0 to i16x4", "i32x4 does not convert to i16x4 so"),
    ("%0 = iota i32x4\n%1 = bitcast %0 to i64x4", "i32x4 does not convert to i64x4 so"),
    ("%0 = iota i32x4\n%1 = dot4 %0, %0, %0", "%0 is i32x4, expected i8x16"),
    ("%0 = iota i32x4\n%1 = lt %0, %0\ncheck %1 else 2", "%1 is i1x4, expected i1"),
    ("%0 = thread\n%1 = lt %0, %0\ncheck %1 else 0", "a status is 32 bits, not zero"),
  ]

  @Test(arguments: faults.indices) func findsTheFault(_ number: Int) throws {
    let (body, error) = Self.faults[number]
    let head = "kernel @k(x: read f32[64] align 64, y: write f32[64] align 64) {\n"
    let kernel = try Kernel(parsing: head + body + "\n}")
    let thrown = #expect(throws: Diagnostic.self) { try kernel.verify() }
    #expect(thrown?.message == error)
    #expect(thrown?.location?.path?.hasPrefix("kernel @k") == true)
  }

  @Test func findsWhatTextCannotSay() {
    var kernel = Kernel(name: "k")
    kernel.types = [.index]
    kernel.body = [.define(LoopValue(id: 0), .binary(.add, LoopValue(id: 0), LoopValue(id: 9)))]
    #expect(throws: Diagnostic.self) { try kernel.verify() }
    kernel.body = [.define(LoopValue(id: 3), .thread)]
    #expect(throws: Diagnostic.self) { try kernel.verify() }
    kernel.body = [.define(LoopValue(id: 0), .load(Address(.local(0)), mask: nil, alignment: 8))]
    #expect(throws: Diagnostic.self) { try kernel.verify() }
    kernel.body = []
    kernel.name = "no name"
    #expect(throws: Diagnostic.self) { try kernel.verify() }
    kernel.name = "k"
    kernel.locals = [LocalArray(name: "big", scalar: .f64, count: 1 << 18)]
    #expect(throws: Diagnostic.self) { try kernel.verify() }
  }
}
