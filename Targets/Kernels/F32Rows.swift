/// Tiles of f32 contractions.
///
/// All that fit the registers exist, for most of them run at the machine's peak and
/// the edges of a shape decide. A dozen accumulators or more hide the latency of the
/// multiply-adds; with fewer, more steps in one turn keep the loop's own cost small.
/// More than two or four steps would only give the register allocator a chance to spill.
extension KernelRow {
  static let f32Rows: [KernelRow] = [
    f32Wide1, f32Wide2Short, f32Wide2, f32Wide3, f32Wide4, f32Wide8,
    f32Half1Short, f32Half1, f32Half2, f32Half3, f32Half6,
    f32Quarter1Short, f32Quarter1, f32Quarter2Short, f32Quarter2, f32Quarter2Tall, f32Quarter3,
    f32Quarter4, f32Quarter8,
    f32Narrow1Short, f32Narrow1, f32Narrow2, f32Narrow3, f32Narrow6,
    f32Eight1Short, f32Eight1, f32Eight2,
    f32Single1, f32Single2, f32Single4,
  ]

  // 512 bits, 32 registers.
  private static let wide = Machine(vectorBits: 512, registers: 32)
  static let f32Wide1 = KernelRow("f32_512_1", .f32, wide, vectors: 1, rows: 1...14, unroll: 4)
  static let f32Wide2Short = KernelRow("f32_512_2_short", .f32, wide, vectors: 2, rows: 1...5, unroll: 4)
  static let f32Wide2 = KernelRow("f32_512_2", .f32, wide, vectors: 2, rows: 6...14, unroll: 2)
  static let f32Wide3 = KernelRow("f32_512_3", .f32, wide, vectors: 3, rows: 1...9, unroll: 2)
  static let f32Wide4 = KernelRow("f32_512_4", .f32, wide, vectors: 4, rows: 1...6, unroll: 2)
  // One or two rows: enough accumulators need wide panels.
  static let f32Wide8 = KernelRow("f32_512_8", .f32, wide, vectors: 8, rows: 1...2, unroll: 2)

  // 256 bits, 16 registers.
  private static let half = Machine(vectorBits: 256, registers: 16)
  static let f32Half1Short = KernelRow("f32_256_1_short", .f32, half, vectors: 1, rows: 1...6, unroll: 4)
  static let f32Half1 = KernelRow("f32_256_1", .f32, half, vectors: 1, rows: 7...8, unroll: 2)
  static let f32Half2 = KernelRow("f32_256_2", .f32, half, vectors: 2, rows: 1...6, unroll: 2)
  static let f32Half3 = KernelRow("f32_256_3", .f32, half, vectors: 3, rows: 1...4, unroll: 2)
  static let f32Half6 = KernelRow("f32_256_6", .f32, half, vectors: 6, rows: 1...1, unroll: 2)

  // 128 bits, 32 registers.
  private static let quarter = Machine(vectorBits: 128, registers: 32)
  static let f32Quarter1Short = KernelRow("f32_128_1_short", .f32, quarter, vectors: 1, rows: 1...6, unroll: 4)
  static let f32Quarter1 = KernelRow("f32_128_1", .f32, quarter, vectors: 1, rows: 7...14, unroll: 2)
  static let f32Quarter2Short = KernelRow("f32_128_2_short", .f32, quarter, vectors: 2, rows: 1...5, unroll: 4)
  static let f32Quarter2 = KernelRow("f32_128_2", .f32, quarter, vectors: 2, rows: 6...8, unroll: 2)
  // LLVM loads neighbouring elements of a row as a pair, which takes a register for the second step.
  static let f32Quarter2Tall = KernelRow("f32_128_2_tall", .f32, quarter, vectors: 2, rows: 9...12, unroll: 1)
  static let f32Quarter3 = KernelRow("f32_128_3", .f32, quarter, vectors: 3, rows: 1...8, unroll: 2)
  static let f32Quarter4 = KernelRow("f32_128_4", .f32, quarter, vectors: 4, rows: 1...6, unroll: 2)
  static let f32Quarter8 = KernelRow("f32_128_8", .f32, quarter, vectors: 8, rows: 1...2, unroll: 2)

  // 128 bits, 16 registers. Such machines mostly multiply and add apart, which takes one for the product.
  private static let narrow = Machine(vectorBits: 128, registers: 16, scratch: 1)
  static let f32Narrow1Short = KernelRow("f32_128n_1_short", .f32, narrow, vectors: 1, rows: 1...4, unroll: 2)
  static let f32Narrow1 = KernelRow("f32_128n_1", .f32, narrow, vectors: 1, rows: 5...8, unroll: 1)
  static let f32Narrow2 = KernelRow("f32_128n_2", .f32, narrow, vectors: 2, rows: 1...4, unroll: 1)
  static let f32Narrow3 = KernelRow("f32_128n_3", .f32, narrow, vectors: 3, rows: 1...2, unroll: 1)
  static let f32Narrow6 = KernelRow("f32_128n_6", .f32, narrow, vectors: 6, rows: 1...1, unroll: 1)

  // 128 bits, 8 registers; elements broadcast from plain registers.
  private static let eight = Machine(vectorBits: 128, registers: 8)
  static let f32Eight1Short = KernelRow("f32_128e_1_short", .f32, eight, vectors: 1, rows: 1...4, unroll: 2)
  static let f32Eight1 = KernelRow("f32_128e_1", .f32, eight, vectors: 1, rows: 5...6, unroll: 1)
  static let f32Eight2 = KernelRow("f32_128e_2", .f32, eight, vectors: 2, rows: 1...2, unroll: 1)

  // No vectors: an element a register.
  private static let single = Machine(vectorBits: 32, registers: 32)
  static let f32Single1 = KernelRow("f32_1_1", .f32, single, vectors: 1, rows: 1...8, unroll: 2)
  static let f32Single2 = KernelRow("f32_1_2", .f32, single, vectors: 2, rows: 1...8, unroll: 1)
  static let f32Single4 = KernelRow("f32_1_4", .f32, single, vectors: 4, rows: 1...4, unroll: 1)
}
