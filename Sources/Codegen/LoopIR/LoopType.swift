/// The machine scalars of loop IR. Integers carry no sign: operations do.
public enum LoopScalar: String, Hashable, Sendable, CaseIterable {
  case i1, i8, i16, i32, i64, f16, bf16, f32, f64

  public var bits: Int {
    switch self {
    case .i1: 1
    case .i8: 8
    case .i16, .f16, .bf16: 16
    case .i32, .f32: 32
    case .i64, .f64: 64
    }
  }
  /// Bytes in memory; `i1` lives in registers only and takes a byte when stored.
  public var bytes: Int { max(1, bits / 8) }
  public var isFloat: Bool {
    switch self {
    case .f16, .bf16, .f32, .f64: true
    default: false
    }
  }
}

/// The type of a loop IR value: a scalar, or a vector of a fixed number of lanes.
public struct LoopType: Hashable, Sendable, CustomStringConvertible {
  public var scalar: LoopScalar
  public var lanes: Int

  public init(_ scalar: LoopScalar, lanes: Int = 1) {
    self.scalar = scalar
    self.lanes = lanes
  }

  public static let index = LoopType(.i64)
  public static let bool = LoopType(.i1)

  public var isVector: Bool { lanes > 1 }
  public var bytes: Int { scalar.bytes * lanes }
  public func with(_ scalar: LoopScalar) -> LoopType { LoopType(scalar, lanes: lanes) }
  public func with(lanes: Int) -> LoopType { LoopType(scalar, lanes: lanes) }

  /// `f32`, `f32x16`.
  public var description: String { isVector ? "\(scalar.rawValue)x\(lanes)" : scalar.rawValue }
}
