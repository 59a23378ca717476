import IR
import Support
import Testing

/// Results computed by hand where no peer has the op, and errors that only values show.
@Suite struct EvaluationTests {
  @Test func quantizedTypesBringTheirParameters() throws {
    let declarations = "quantization !q = {scales = [0.5, 2.0], zero_points = [0, 10], axis = 1}"
    let x = f32([2, 2], [1.25, 7, -100, 300])
    let q = try OpRunner.run("quantize %0 {to = u8<!q>} : u8<!q>[2, 2]", [x], declarations: declarations)
    // 2.5 goes to the even 2; 3.5 + 10 to 14; the rest saturates.
    #expect(q.integers() == [2, 14, 0, 160])
    let away = try OpRunner.run(
      "quantize %0 {to = u8<!q>, rounding = tflite} : u8<!q>[2, 2]", [x], declarations: declarations)
    #expect(away.integers() == [3, 14, 0, 160])
    let back = try OpRunner.run(
      "dequantize %0 : f32[2, 2]", [q], types: ["u8<!q>[2, 2]"], declarations: declarations)
    #expect(back.doubles() == [1, 8, 0, 300])
  }

  @Test func aQuantizedTensorIsPaddedWithWhatMeansTheValue() throws {
    let declarations = "quantization !q = {scales = [0.5], zero_points = [7]}"
    let q = try Tensor(element: .quantized(.u8, "q"), shape: [2], bytes: ByteView(copying: [1, 2]))
    let padded = try OpRunner.run(
      "pad %0 {before = [1], after = [1], value = 2.0} : u8<!q>[4]", [q], types: ["u8<!q>[2]"],
      declarations: declarations)
    #expect(padded.integers() == [11, 1, 2, 11])
  }

  @Test func blocksUnpackWholeOrByRows() throws {
    // Scale 2, values 0..31; scale 0.5, values 1..32.
    var bytes: [UInt8] = [0x00, 0x40]
    bytes += (0..<32).map { UInt8($0) }
    bytes += [0x00, 0x38]
    bytes += (1...32).map { UInt8($0) }
    let blocks = try Tensor(element: .block(.q8_0), shape: [2, 32], bytes: ByteView(copying: bytes))
    let all = try OpRunner.run("dequantize %0 : f32[2, 32]", [blocks])
    let second = (1...32).map { Double($0) / 2 }
    let both = (0..<32).map { Double($0) * 2 } + second
    #expect(all.doubles() == both)
    let rows = try OpRunner.run("gather %0, %1 : q8_0[1, 32]", [blocks, i64([1], [-1])])
    #expect(rows.doubles() == second)
  }

  @Test func packedOperandsMeanWhatTheyShow() throws {
    // [2, 3] in panels of 4 columns with groups of 2 rows.
    let packed = try Tensor(
      element: .plain(.i8), shape: [2, 3], layout: PackedLayout(columns: 4, group: 2),
      bytes: ByteView(copying: [1, 4, 2, 5, 3, 6, 0, 0]))
    let x = Tensor(.u8, [1, 2], integers: [10, 1])
    let product = try OpRunner.run("matmul %0, %1 : i32[1, 3]", [x, packed])
    #expect(product.integers() == [14, 25, 36])
    let image = Tensor(.u8, [1, 1, 2, 1], integers: [10, 1])
    let sums = try OpRunner.run("conv %0, %1 {kernel = [1, 2]} : i32[1, 1, 1, 3]", [image, packed])
    #expect(sums.integers() == [14, 25, 36])
  }

  @Test func poolingBeyondTheEndCountsWhatIsThere() throws {
    let x = f32([1, 3, 1], [1, 2, 4])
    let mean = try OpRunner.run("avg_pool %0 {window = [2], strides = [2], ceil_mode = true} : f32[1, 2, 1]", [x])
    #expect(mean.doubles() == [1.5, 4])
    let padded = try OpRunner.run(
      "avg_pool %0 {window = [2], strides = [2], padding = [1, 0], count_padding = true} : f32[1, 2, 1]", [x])
    #expect(padded.doubles() == [0.5, 3])
    let nothing = try OpRunner.run(
      "max_pool %0 {window = [1], strides = [4], padding = [1, 1]} : i8[1, 2, 1]",
      [Tensor(.i8, [1, 3, 1], integers: [1, 2, 3])])
    #expect(nothing.integers() == [-128, -128])
  }

  @Test func reductionsOfNothing() throws {
    let x = f32([0, 2], [])
    #expect(try OpRunner.run("reduce_sum %0 {axes = [0]} : f32[2]", [x]).doubles() == [0, 0])
    #expect(try OpRunner.run("reduce_prod %0 {axes = [0]} : f32[2]", [x]).doubles() == [1, 1])
    #expect(try OpRunner.run("reduce_max %0 {axes = [0]} : f32[2]", [x]).doubles() == [-.infinity, -.infinity])
    #expect(try OpRunner.run("matmul %0, %0 {transpose_lhs = true} : f32[2, 2]", [x]).doubles() == [0, 0, 0, 0])
    let all = try OpRunner.run("reduce_min %0 : bool[]", [Tensor(.bool, [2], integers: [1, 0])])
    #expect(all.integers() == [0])
  }

  @Test func valuesAreChecked() {
    let wide = i64([1], [5])
    let zero = i64([1], [0])
    #expect(OpRunner.evaluationError("div %0, %1 : i64[1]", [wide, zero]) == "integer division by zero")
    #expect(OpRunner.evaluationError("mod %0, %1 : i64[1]", [wide, zero]) == "integer division by zero")
    #expect(
      OpRunner.evaluationError("gather %0, %1 : f32[1]", [f32([3], [1, 2, 3]), i64([1], [3])])
        == "gather: index 3 out of range for extent 3")
    #expect(
      OpRunner.evaluationError(
        "slice %0 {starts = [n - 3], sizes = [2], steps = [1]} : f32[2]", [f32([2], [1, 2])], types: ["f32[n]"])
        == "slice: index -1 is out of range for extent 2 of axis 0")
    #expect(
      OpRunner.evaluationError("extent %0 {symbol = s} : i64[]", [i64([], [5000])])
        == "s is 5000, outside of 0...4096")
    #expect(
      OpRunner.evaluationError("broadcast %0 {shape = [1099511627776]} : f32[1099511627776]", [f32([1], [0])])?
        .contains("too large to evaluate") == true)
  }

  @Test func integersWrap() throws {
    let least = i64([1], [Int.min])
    let minusOne = i64([1], [-1])
    #expect(try OpRunner.run("div %0, %1 : i64[1]", [least, minusOne]).integers() == [Int.min])
    #expect(try OpRunner.run("mod %0, %1 : i64[1]", [least, minusOne]).integers() == [0])
    #expect(try OpRunner.run("abs %0 : i64[1]", [least]).integers() == [Int.min])
    let byte = Tensor(.i8, [2], integers: [-128, 127])
    #expect(try OpRunner.run("neg %0 : i8[2]", [byte]).integers() == [-128, -127])
    #expect(
      try OpRunner.run("shift_left %0, %1 : i8[2]", [byte, Tensor(.i8, [2], integers: [8, 1])]).integers() == [0, -2])
    #expect(try OpRunner.run("pow %0, %1 : i8[2]", [Tensor(.i8, [2], integers: [-1, 2]), byte]).integers() == [1, 0])
  }

  @Test func stringsMove() throws {
    let words = Tensor(strings: ["a", "b", "c", "d"].map { Array($0.utf8) }, shape: [2, 2])
    let turned = try OpRunner.run("transpose %0 {permutation = [1, 0]} : str[2, 2]", [words])
    #expect(turned.strings.map { String(decoding: $0, as: UTF8.self) } == ["a", "c", "b", "d"])
    let joined = try OpRunner.run("concat %0, %0 {axis = 1} : str[2, 4]", [words])
    #expect(joined.strings.count == 8)
  }
}
