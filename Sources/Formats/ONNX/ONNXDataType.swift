import Support

/// The element types of the format, by the numbers it gives them.
public enum ONNXDataType: Int32, Sendable, CaseIterable {
  case undefined, float, uint8, int8, uint16, int16, int32, int64, string, bool
  case float16, double, uint32, uint64, complex64, complex128, bfloat16
  case float8e4m3fn, float8e4m3fnuz, float8e5m2, float8e5m2fnuz
  case uint4, int4, float4e2m1, float8e8m0, uint2, int2, float6e2m3, float6e3m2

  /// Our name for the type, or nil where we have none (complex numbers, 6-bit floats).
  public var elementType: ElementType? {
    switch self {
    case .undefined, .complex64, .complex128, .float6e2m3, .float6e3m2: nil
    case .float: .f32
    case .uint8: .u8
    case .int8: .i8
    case .uint16: .u16
    case .int16: .i16
    case .int32: .i32
    case .int64: .i64
    case .string: .string
    case .bool: .bool
    case .float16: .f16
    case .double: .f64
    case .uint32: .u32
    case .uint64: .u64
    case .bfloat16: .bf16
    case .float8e4m3fn: .f8e4m3fn
    case .float8e4m3fnuz: .f8e4m3fnuz
    case .float8e5m2: .f8e5m2
    case .float8e5m2fnuz: .f8e5m2fnuz
    case .uint4: .u4
    case .int4: .i4
    case .float4e2m1: .f4e2m1
    case .float8e8m0: .f8e8m0
    case .uint2: .u2
    case .int2: .i2
    }
  }

  public init(_ type: ElementType) {
    // Every element type has a number here; a test goes through all of them.
    self = ONNXDataType.allCases.first { $0.elementType == type } ?? .undefined
  }

  /// What to call type number `raw` in an error.
  public static func name(_ raw: Int32) -> String {
    ONNXDataType(rawValue: raw).map { "\($0)" } ?? "number \(raw)"
  }
}
