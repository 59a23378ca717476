import Codegen
import Support
import Testing

@Suite struct KernelTextTests {
  /// Every statement and operation, as it is written.
  static let everything = """
    kernel @all(x: read f32[64] align 64, b: update i8[*] align 16, y: write f32[*] align 4, n: index, m: index) {
      local tmp: f32[32] align 64
      %0 = scalar n
      %1 = thread
      %2 = threads
      %3 = const i64 0
      %4 = const i64 -7
      %5 = const f32x16 0.1
      %6 = const f64 -inf
      %7 = const f64 nan(0x7ff8000000000000)
      %8 = add %0, %4
      %9 = lt_u %0, %8
      check %9 else 3
      %10 = neg %5
      %11 = iota i32x16
      %12 = const i32x16 5
      %13 = lt %11, %12
      %14 = select %13, %5, %10
      %15 = fma %5, %10, %14
      %16 = load f32x16 x[%3 + 16] mask %13 align 64
      %17 = load f32x16 x[16] align 64
      %18 = gather f32x16 x[%3 - 2][%11] mask %13
      %19 = load i8x64 b[0]
      %20 = dot4 %11, %19, %19
      %21 = ftos %5 to i32x16
      %22 = bitcast %5 to i32x16
      %23 = reduce add %17
      %24 = splat f32x16 %23
      %25 = extract %24[3]
      %26 = insert %24[15], %25
      %27 = shuffle %5, %26 [0, 17, -1, 3]
      store %26, tmp[0] align 64
      prefetch x[%0 + 4096]
      prefetch_write y[0]
      %30, %31 = for %28 = %3 ..< %0 step 4 carry (%29 = %24, %32 = %25) {
        %33 = add %29, %29
        yield %33, %32
      }
      for %34 = %3 ..< %0 step 1 {
        scatter %30, y[%34][%11] mask %13
      }
      %38 = while (%35 = %0) {
        %36 = gt %35, %3
        condition %36
      } do {
        %37 = sub %35, %2
        yield %37
      }
      %41 = if %9 {
        yield %38
      } else {
        %40 = rem_u %0, %1
        yield %40
      }
      if %9 {
        store %31, y[%41]
      }
    }

    """

  @Test func readsAndPrintsEverything() throws {
    let kernel = try Kernel(parsing: Self.everything)
    try kernel.verify()
    let text = kernel.description
    let again = try Kernel(parsing: text)
    // Not the kernels themselves: a NaN among their constants equals nothing.
    #expect(again.description == text)
    #expect(again.contentHash == kernel.contentHash)
    #expect(kernel.locals.count == 1 && kernel.scalars.count == 2)
    #expect(text.contains("%16 = load f32x16 x[%3 + 16] mask %13 align 64"))
    #expect(text.contains("%18 = gather f32x16 x[%3 - 2][%11] mask %13"))
  }

  @Test func printsWhatBuildersBuild() throws {
    let b = KernelBuilder(name: "axpy")
    let x = b.buffer("x", .f32, .read, elements: 64, alignment: 64)
    let y = b.buffer("y", .f32, .update, elements: 64, alignment: 64)
    b.forEach(b.index(0), b.index(64), step: 16) { i in
      let type = LoopType(.f32, lanes: 16)
      let sum = b.add(b.load(type, Address(x, i), alignment: 64), b.load(type, Address(y, i), alignment: 64))
      b.store(sum, Address(y, i), alignment: 64)
    }
    let expected = """
      kernel @axpy(x: read f32[64] align 64, y: update f32[64] align 64) {
        %0 = const i64 0
        %1 = const i64 64
        for %2 = %0 ..< %1 step 16 {
          %3 = load f32x16 x[%2] align 64
          %4 = load f32x16 y[%2] align 64
          %5 = add %3, %4
          store %5, y[%2] align 64
        }
      }

      """
    #expect(b.finish().description == expected)
  }

  @Test func hashIgnoresNames() throws {
    let text = "kernel @a(x: read f32[4] align 4, n: index) {\n %7 = scalar n\n %9 = load f32 x[%7]\n}"
    let other = "kernel @b(in: read f32[4] align 4, count: index) {\n %0 = scalar count\n %1 = load f32 in[%0]\n}"
    let different = other.replacing("x[%0]", with: "x[%0 + 1]").replacing("in[%0]", with: "in[%0 + 1]")
    let hash = try Kernel(parsing: text).contentHash
    #expect(hash == (try Kernel(parsing: other).contentHash))
    #expect(hash != (try Kernel(parsing: different).contentHash))
    // Caches outlive the process: the same in every one.
    #expect(hash.description == "4be72b4b9c4bc440d4f0c2535e6e05a0")
  }

  static let broken: [(text: String, error: String)] = [
    ("kernel k() {", "expected @ and the kernel's name"),
    ("kernel @k() {\n  %0 = thread\n", "expected a statement"),
    ("kernel @k() {\n  %0 = add %1, %1\n}", "%1 is used before it is defined"),
    ("kernel @k() {\n  %0 = thread\n  %0 = thread\n}", "%0 is defined twice"),
    ("kernel @k() {\n  %0 = wiggle\n}", "no operation is called 'wiggle'"),
    ("kernel @k() {\n  store %0, x[0]\n}", "%0 is used before it is defined"),
    ("kernel @k() {\n  %0 = iota f99x4\n}", "no type is called 'f99x4'"),
    ("kernel @k() {\n  %0 = iota i32x4096\n}", "no type is called 'i32x4096'"),
    ("kernel @k() {\n  %0 = const i64 99999999999999999999\n}", "expected an integer"),
    ("kernel @k() {\n  %0 = load f32 x[0]\n}", "no buffer is called 'x'"),
    ("kernel @k(x: read f32[4] align 4) {\n  prefetch x[%]\n}", "% wants a number"),
    ("kernel @k() {\n  $\n}", "unexpected byte 36"),
    ("kernel @k() {\n  %0, %1 = thread\n}", "'thread' has one result"),
    ("kernel @k() {} kernel @l() {}", "expected one kernel, found 2"),
  ]

  @Test(arguments: broken.indices) func saysWhatIsWrong(_ number: Int) {
    let (text, error) = Self.broken[number]
    let thrown = #expect(throws: Diagnostic.self) { try Kernel(parsing: text, file: "k.loops") }
    #expect(thrown?.message == error)
    #expect(thrown?.location?.file == "k.loops")
  }

  /// Damaged text is an error or another kernel, never a crash.
  @Test func survivesDamage() {
    let bytes = Array(Self.everything.utf8)
    for cut in stride(from: 0, to: bytes.count, by: 3) {
      _ = try? Kernel(parsing: String(decoding: bytes[..<cut], as: UTF8.self)).verify()
      var flipped = bytes
      flipped[cut] ^= UInt8(truncatingIfNeeded: 1 + cut % 127)
      if let kernel = try? Kernel(parsing: String(decoding: flipped, as: UTF8.self)) {
        _ = kernel.description
        _ = try? kernel.verify()
      }
    }
    let deep = "kernel @k() {\n%0 = thread\n%1 = lt %0, %0\n" + String(repeating: "if %1 {", count: 100_000)
    #expect(throws: Diagnostic.self) { try Kernel(parsing: deep) }
    let conditions = "kernel @k() {\n" + String(repeating: "while () {", count: 100_000)
    #expect(throws: Diagnostic.self) { try Kernel(parsing: conditions) }
  }
}
