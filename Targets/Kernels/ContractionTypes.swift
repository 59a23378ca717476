/// The element types that a contraction multiplies and sums.
public enum ContractionTypes: String, Sendable, Hashable, CaseIterable {
  /// f32 times f32, summed in f32.
  case f32
  /// u8 times s8, four products at a time summed in i32.
  case u8i8

  /// Bits of an accumulator: how many of them a vector holds decides how wide a tile is.
  public var accumulatorBits: Int { 32 }

  /// How many neighbours along the summed axis one step takes: packed operands keep so many together.
  public var group: Int {
    switch self {
    case .f32: 1
    case .u8i8: 4
    }
  }
}
