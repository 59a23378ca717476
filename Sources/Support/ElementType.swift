/// The scalar types a tensor can hold.
public enum ElementType: String, Hashable, Sendable, CaseIterable {
  case bool
  case i2, u2, i4, u4
  case i8, u8, i16, u16, i32, u32, i64, u64
  /// Names follow the formats' own: e4m3fn has no infinity, fnuz has neither infinity nor minus zero.
  case f8e4m3fn, f8e4m3fnuz, f8e5m2, f8e5m2fnuz, f8e8m0, f4e2m1
  case f16, bf16, f32, f64
  case string = "str"

  /// Bits that one element takes in memory; sub-byte elements are packed, low bits first.
  public var bits: Int {
    switch self {
    case .i2, .u2: 2
    case .i4, .u4, .f4e2m1: 4
    case .bool, .i8, .u8, .f8e4m3fn, .f8e4m3fnuz, .f8e5m2, .f8e5m2fnuz, .f8e8m0: 8
    case .i16, .u16, .f16, .bf16: 16
    case .i32, .u32, .f32: 32
    case .i64, .u64, .f64: 64
    case .string: 64  // the address of a pointer and a length
    }
  }

  /// Bytes that `count` packed elements take, or nil when that overflows.
  public func bytes(for count: Int) -> Int? {
    let (bitCount, overflow) = count.multipliedReportingOverflow(by: bits)
    guard !overflow, bitCount >= 0, bitCount <= Int.max - 7 else { return nil }
    return (bitCount + 7) / 8
  }

  public var isFloat: Bool {
    switch self {
    case .f8e4m3fn, .f8e4m3fnuz, .f8e5m2, .f8e5m2fnuz, .f8e8m0, .f4e2m1, .f16, .bf16, .f32, .f64: true
    default: false
    }
  }

  /// Integers proper: neither `bool` nor `string`.
  public var isInteger: Bool { !isFloat && self != .bool && self != .string }

  public var isSigned: Bool {
    switch self {
    case .i2, .i4, .i8, .i16, .i32, .i64: true
    default: isFloat
    }
  }

  /// The least and greatest value of an integer type; `u64` is bounded by what `Int` holds.
  public var integerRange: ClosedRange<Int>? {
    guard isInteger || self == .bool else { return nil }
    if self == .bool { return 0...1 }
    if isSigned { return bits == 64 ? Int.min...Int.max : (-(1 << (bits - 1)))...((1 << (bits - 1)) - 1) }
    return bits == 64 ? 0...Int.max : 0...((1 << bits) - 1)
  }
}
