/// Tiles of contractions of u8 with s8.
///
/// With a dot-product instruction they are those of f32, four steps in one. Without,
/// bytes widen to 16 bits, which takes registers of its own, and tiles are smaller.
extension KernelRow {
  static let u8i8Rows: [KernelRow] = [
    u8i8Wide1, u8i8Wide2Short, u8i8Wide2, u8i8Wide3, u8i8Wide4, u8i8Wide8,
    u8i8WideWidened1, u8i8WideWidened2, u8i8WideWidened4,
    u8i8Half1, u8i8Half2, u8i8HalfWidened1, u8i8HalfWidened2,
    u8i8Quarter1, u8i8Quarter2, u8i8Quarter4, u8i8QuarterWidened1, u8i8QuarterWidened2, u8i8QuarterWidened4,
    u8i8Narrow1, u8i8Narrow2, u8i8Eight1, u8i8Single1, u8i8Single2,
  ]

  // 512 bits, 32 registers.
  private static let wide = Machine(vectorBits: 512, registers: 32, hasDot4: true)
  static let u8i8Wide1 = KernelRow("u8i8_512_1", .u8i8, wide, vectors: 1, rows: 1...14, unroll: 4)
  static let u8i8Wide2Short = KernelRow("u8i8_512_2_short", .u8i8, wide, vectors: 2, rows: 1...5, unroll: 4)
  static let u8i8Wide2 = KernelRow("u8i8_512_2", .u8i8, wide, vectors: 2, rows: 6...14, unroll: 2)
  static let u8i8Wide3 = KernelRow("u8i8_512_3", .u8i8, wide, vectors: 3, rows: 1...9, unroll: 2)
  static let u8i8Wide4 = KernelRow("u8i8_512_4", .u8i8, wide, vectors: 4, rows: 1...6, unroll: 2)
  static let u8i8Wide8 = KernelRow("u8i8_512_8", .u8i8, wide, vectors: 8, rows: 1...2, unroll: 2)
  private static let wideWidened = Machine(vectorBits: 512, registers: 32, hasDot4: false, scratch: 6)
  static let u8i8WideWidened1 = KernelRow("u8i8_512w_1", .u8i8, wideWidened, vectors: 1, rows: 1...8, unroll: 1)
  static let u8i8WideWidened2 = KernelRow("u8i8_512w_2", .u8i8, wideWidened, vectors: 2, rows: 1...8, unroll: 1)
  static let u8i8WideWidened4 = KernelRow("u8i8_512w_4", .u8i8, wideWidened, vectors: 4, rows: 1...4, unroll: 1)

  // 256 bits, 16 registers.
  private static let half = Machine(vectorBits: 256, registers: 16, hasDot4: true)
  static let u8i8Half1 = KernelRow("u8i8_256_1", .u8i8, half, vectors: 1, rows: 1...12, unroll: 4)
  static let u8i8Half2 = KernelRow("u8i8_256_2", .u8i8, half, vectors: 2, rows: 1...6, unroll: 2)
  private static let halfWidened = Machine(vectorBits: 256, registers: 16, hasDot4: false, scratch: 4)
  static let u8i8HalfWidened1 = KernelRow("u8i8_256w_1", .u8i8, halfWidened, vectors: 1, rows: 1...8, unroll: 1)
  static let u8i8HalfWidened2 = KernelRow("u8i8_256w_2", .u8i8, halfWidened, vectors: 2, rows: 1...4, unroll: 1)

  // 128 bits, 32 registers.
  private static let quarter = Machine(vectorBits: 128, registers: 32, hasDot4: true)
  static let u8i8Quarter1 = KernelRow("u8i8_128_1", .u8i8, quarter, vectors: 1, rows: 1...14, unroll: 4)
  static let u8i8Quarter2 = KernelRow("u8i8_128_2", .u8i8, quarter, vectors: 2, rows: 1...12, unroll: 4)
  static let u8i8Quarter4 = KernelRow("u8i8_128_4", .u8i8, quarter, vectors: 4, rows: 1...6, unroll: 4)
  private static let quarterWidened = Machine(vectorBits: 128, registers: 32, hasDot4: false, scratch: 6)
  static let u8i8QuarterWidened1 = KernelRow("u8i8_128w_1", .u8i8, quarterWidened, vectors: 1, rows: 1...8, unroll: 1)
  static let u8i8QuarterWidened2 = KernelRow("u8i8_128w_2", .u8i8, quarterWidened, vectors: 2, rows: 1...8, unroll: 1)
  static let u8i8QuarterWidened4 = KernelRow("u8i8_128w_4", .u8i8, quarterWidened, vectors: 4, rows: 1...4, unroll: 1)

  // 128 bits, 16 or 8 registers, or none.
  private static let narrow = Machine(vectorBits: 128, registers: 16, hasDot4: false, scratch: 4)
  static let u8i8Narrow1 = KernelRow("u8i8_128n_1", .u8i8, narrow, vectors: 1, rows: 1...8, unroll: 1)
  static let u8i8Narrow2 = KernelRow("u8i8_128n_2", .u8i8, narrow, vectors: 2, rows: 1...3, unroll: 1)
  private static let eight = Machine(vectorBits: 128, registers: 8, hasDot4: false, scratch: 2)
  static let u8i8Eight1 = KernelRow("u8i8_128e_1", .u8i8, eight, vectors: 1, rows: 1...4, unroll: 1)
  private static let single = Machine(vectorBits: 32, registers: 32, hasDot4: false, scratch: 6)
  static let u8i8Single1 = KernelRow("u8i8_1_1", .u8i8, single, vectors: 1, rows: 1...4, unroll: 1)
  static let u8i8Single2 = KernelRow("u8i8_1_2", .u8i8, single, vectors: 2, rows: 1...4, unroll: 1)
}
