import IR
import Support
import Targets

/// How a contraction multiplies: what an accumulator is, and one step along the summed axis.
///
/// The right operand comes in packed panels; the left one is read where it lies,
/// one element (or group of elements) at a time, broadcast to all lanes.
struct Multiplication {
  enum Arithmetic: Hashable {
    /// Fused multiply-adds in f32 or f64.
    case float(LoopScalar)
    /// Groups of four 8-bit products. A signed left operand is shifted to unsigned by flipping its top bits; the
    /// epilogue takes the shift out again, so that the one instruction machines have serves both.
    case dot4(signedLeft: Bool)
  }
  let arithmetic: Arithmetic
  /// The element type of the left operand.
  private(set) var left: ElementType
  let lanes: Int

  init(left: ElementType, right: ElementType, profile: Profile) throws(Diagnostic) {
    self.left = left
    switch (left, right) {
    case (.u8, .i8): arithmetic = .dot4(signedLeft: false)
    case (.i8, .i8): arithmetic = .dot4(signedLeft: true)
    case (.f64, .f64): arithmetic = .float(.f64)
    case (.f32, .f32), (.f16, .f16), (.bf16, .bf16): arithmetic = .float(.f32)
    default: throw .unsupported("a product of \(left) and \(right) has no code yet")
    }
    lanes = profile.lanes(bits: arithmetic == .float(.f64) ? 64 : 32)
  }

  /// Whether every read of the left operand converts it: elements are broadcast one by one, so that this takes longer
  /// than the product. Converting it once, by vectors, does not.
  func convertsLeft(on profile: Profile) -> Bool {
    guard case .float(.f32) = arithmetic, left != .f32 else { return false }
    return lanes > 1 && profile.memoryLimitBytes == nil
  }

  /// The same product of a left operand that has been converted.
  var ofConvertedLeft: Multiplication {
    var copy = self
    copy.left = .f32
    return copy
  }

  /// Elements of the summed axis that one step takes.
  var group: Int { if case .dot4 = arithmetic { 4 } else { 1 } }

  var accumulator: LoopType { LoopType(accumulatorScalar, lanes: lanes) }
  var accumulatorScalar: LoopScalar {
    switch arithmetic {
    case .float(let scalar): scalar
    case .dot4: .i32
    }
  }
  /// The element type of the sums, before any epilogue.
  var sums: ElementType {
    switch arithmetic {
    case .float(.f64): .f64
    case .float: .f32
    case .dot4: .i32
    }
  }
  /// What packed panels hold.
  var panelScalar: LoopScalar { if case .float(let scalar) = arithmetic { scalar } else { .i8 } }
  var panelElement: ElementType {
    switch arithmetic {
    case .float(.f64): .f64
    case .float: .f32
    case .dot4: .i8
    }
  }
  var leftScalar: LoopScalar {
    switch left {
    case .f16: .f16
    case .bf16: .bf16
    case .f64: .f64
    case .f32: .f32
    default: .i8
    }
  }
  var types: ContractionTypes { if case .dot4 = arithmetic { .u8i8 } else { .f32 } }

  /// Loads one vector of a panel.
  func panelVector(_ build: KernelBuilder, _ panel: BufferReference, _ index: LoopValue, offset: Int) -> LoopValue {
    build.load(
      LoopType(panelScalar, lanes: lanes * group), Address(panel, index, offset: offset),
      alignment: lanes * group * panelScalar.bytes)
  }

  /// Loads the left operand's element or group at an address and spreads it over the lanes. `count` < group reads
  /// only that many elements, the others being zero.
  func broadcast(_ build: KernelBuilder, _ address: Address, count: Int) -> LoopValue {
    switch arithmetic {
    case .float(let scalar):
      let element = build.load(LoopType(leftScalar), address)
      return build.splat(build.convert(.floatExtend, element, to: LoopType(scalar)), lanes: lanes)
    case .dot4(let signedLeft):
      let word = LoopType(.i32)
      var group: LoopValue
      if count == 4 {
        group = build.load(word, address)
      } else {
        group = build.integer(0, word)
        for byte in 0..<count {
          let value = build.convert(.zeroExtend, build.load(LoopType(.i8), address.advanced(by: byte)), to: word)
          group = build.binary(.or, group, build.binary(.shl, value, build.integer(8 * byte, word)))
        }
      }
      if signedLeft { group = build.binary(.xor, group, build.integer(Int(Int32(bitPattern: 0x8080_8080)), word)) }
      return build.convert(.bitcast, build.splat(group, lanes: lanes), to: LoopType(.i8, lanes: lanes * 4))
    }
  }

  func multiplyAdd(_ build: KernelBuilder, _ sum: LoopValue, _ left: LoopValue, _ right: LoopValue) -> LoopValue {
    switch arithmetic {
    case .float: build.fma(left, right, sum)
    case .dot4: build.dot4(sum, unsigned: left, signed: right)
    }
  }
}
