/// One kernel at the loops phase: everything explicit, nothing left to a runtime.
///
///     kernel @k_map_1f(x: read f32[d0] align 4, y: write f32[d0] align 4, d0: index) {
///       %0 = thread
///       ...
///       for %3 = %1 ..< %2 step 16 {
///         %4 = load f32x16 x[%3]
///         %5 = add %4, %4
///         store %5, y[%3]
///       }
///     }
///
/// A kernel takes buffers, `index` scalars (dims that are only known at run
/// time), its thread number and the thread count, and partitions its work by the
/// last two. It returns zero, or the status of the first `check` that failed.
public struct Kernel: Hashable, Sendable {
  public var name: String
  public var buffers: [BufferParameter] = []
  public var scalars: [ScalarParameter] = []
  /// Arrays on the stack of the kernel.
  public var locals: [LocalArray] = []
  /// The type of each value, by `LoopValue.id`.
  public var types: [LoopType] = []
  public var body: [Statement] = []

  public init(name: String) { self.name = name }

  public subscript(_ value: LoopValue) -> LoopType { types[value.id] }
}

/// An SSA value of a kernel.
public struct LoopValue: Hashable, Sendable {
  public var id: Int
  public init(id: Int) { self.id = id }
}

public enum Access: String, Hashable, Sendable {
  case read, write
  /// Read and written: an in-place operand, a state.
  case update
}

/// How many elements a buffer has: a constant, or a product known at run time.
/// `elements` counts memory elements of `scalar`.
public struct BufferParameter: Hashable, Sendable {
  public var name: String
  public var scalar: LoopScalar
  public var access: Access
  /// The proved number of elements; nil where only run-time dims tell.
  public var elements: Int?
  public var alignment: Int

  public init(name: String, scalar: LoopScalar, access: Access, elements: Int?, alignment: Int) {
    self.name = name
    self.scalar = scalar
    self.access = access
    self.elements = elements
    self.alignment = alignment
  }
}

/// A run-time `index` argument.
public struct ScalarParameter: Hashable, Sendable {
  public var name: String
  public init(name: String) { self.name = name }
}

public struct LocalArray: Hashable, Sendable {
  public var name: String
  public var scalar: LoopScalar
  public var count: Int
  public var alignment: Int
  public init(name: String, scalar: LoopScalar, count: Int, alignment: Int = 64) {
    self.name = name
    self.scalar = scalar
    self.count = count
    self.alignment = alignment
  }
}

public enum BufferReference: Hashable, Sendable {
  case parameter(Int)
  case local(Int)
}

/// A place in a buffer: `buffer[index + offset]`, in elements of the buffer's scalar.
/// `index` may be nil (zero). The offset is kept apart so that the machine's
/// addressing modes can take it.
public struct Address: Hashable, Sendable {
  public var buffer: BufferReference
  public var index: LoopValue?
  public var offset: Int
  public init(_ buffer: BufferReference, _ index: LoopValue? = nil, offset: Int = 0) {
    self.buffer = buffer
    self.index = index
    self.offset = offset
  }
  public func advanced(by elements: Int) -> Address { Address(buffer, index, offset: offset + elements) }
}

public enum UnaryOperation: String, Hashable, Sendable, CaseIterable {
  case neg, not, abs, sqrt, floor, ceil, trunc
  /// Round to nearest, ties to even.
  case rint
  /// Number of set bits, leading zeros.
  case popcount, clz
}

/// Integers wrap. On f16 and bf16 an operation computes in f32 and rounds once.
public enum BinaryOperation: String, Hashable, Sendable, CaseIterable {
  case add, sub, mul
  /// Float division, or signed integer division towards zero. Integer divisors are non-zero by construction or checked;
  /// the least integer divided by -1 wraps.
  case div
  case udiv = "div_u"
  /// Signed remainder with the dividend's sign; float: the exact remainder of truncating division.
  case rem
  case urem = "rem_u"
  /// Float min and max return the other operand when one is NaN is *not* promised: `a < b ? a : b`, so the second
  /// operand wins when either is NaN.
  case min, max
  case umin = "min_u"
  case umax = "max_u"
  case and, or, xor
  /// Shift counts are less than the width.
  case shl
  case shr = "shr_s"
  case ushr = "shr_u"
  /// Saturating signed addition and subtraction.
  case addSaturating = "add_sat"
  case subSaturating = "sub_sat"
}

public enum Comparison: String, Hashable, Sendable, CaseIterable {
  /// Ordered for floats (false on NaN), except `ne`, which is true on NaN. Signed for integers.
  case eq, ne, lt, le, gt, ge
  case ult = "lt_u"
  case ule = "le_u"
  case ugt = "gt_u"
  case uge = "ge_u"
}

public enum Conversion: String, Hashable, Sendable, CaseIterable {
  case signExtend = "sext"
  case zeroExtend = "zext"
  case truncate = "trunc_bits"
  case floatExtend = "fext"
  /// To nearest, ties to even. Where the machine converts to bf16 itself, subnormal values may become zero.
  case floatTruncate = "ftrunc"
  /// To f16 and bf16 by way of f32.
  case signedToFloat = "stof"
  case unsignedToFloat = "utof"
  /// Towards zero; saturates; NaN gives zero.
  case floatToSigned = "ftos"
  case floatToUnsigned = "ftou"
  /// Same bits, other type of the same total size (lanes may change).
  case bitcast
}

/// What a value is.
public enum LoopOperation: Hashable, Sendable {
  case integer(Int)
  case float(Double)
  /// A scalar parameter, by number.
  case scalar(Int)
  case thread
  case threads
  case unary(UnaryOperation, LoopValue)
  case binary(BinaryOperation, LoopValue, LoopValue)
  case compare(Comparison, LoopValue, LoopValue)
  case select(LoopValue, LoopValue, LoopValue)
  /// a * b + c with one rounding.
  case fma(LoopValue, LoopValue, LoopValue)
  case convert(Conversion, LoopValue)
  case splat(LoopValue)
  /// 0, 1, 2, ... in the lanes of the result's integer type.
  case iota
  case extract(LoopValue, lane: Int)
  case insert(LoopValue, LoopValue, lane: Int)
  /// Lanes of the concatenation of two vectors of one type; -1 leaves a lane undefined.
  case shuffle(LoopValue, LoopValue, lanes: [Int])
  /// All lanes to one scalar: add, mul, min, max, umin, umax, and, or, xor. Floats by halves: lane i with lane n/2 + i,
  /// and so on; the last lane of an odd count joins at the end.
  case reduce(BinaryOperation, LoopValue)
  /// As many bytes as the result type has, at an element address; the result's scalar may differ from the buffer's.
  /// Lanes whose mask bit is clear are not touched and read as zero.
  case load(Address, mask: LoopValue?, alignment: Int)
  /// One element per lane at `address + indices[lane]`; clear lanes read as zero.
  case gather(Address, indices: LoopValue, mask: LoopValue?)
  /// acc[i] + sum over j < 4 of unsigned a[4i+j] * signed b[4i+j]; a and b are i8 x 4N, acc i32 x N. Wraps.
  case dot4(accumulator: LoopValue, unsigned: LoopValue, signed: LoopValue)
}

/// A step of a kernel.
public indirect enum Statement: Hashable, Sendable {
  case define(LoopValue, LoopOperation)
  /// Writes the value's bytes at an element address. A mask touches only its set lanes.
  case store(LoopValue, Address, mask: LoopValue?, alignment: Int)
  case scatter(LoopValue, Address, indices: LoopValue, mask: LoopValue?)
  /// A hint; the address may lie outside of the buffer.
  case prefetch(Address, write: Bool)
  /// Leaves the kernel with `status` unless the condition holds.
  case check(LoopValue, status: Int)
  case forLoop(ForLoop)
  case whileLoop(WhileLoop)
  case ifElse(IfElse)
}

/// `for i = lower ..< upper step s carry (...)`: runs while `i < upper`.
public struct ForLoop: Hashable, Sendable {
  public var induction: LoopValue
  public var lower: LoopValue
  public var upper: LoopValue
  public var step: Int
  public var initial: [LoopValue]
  /// The carried values as the body sees them.
  public var carried: [LoopValue]
  public var body: [Statement]
  public var yields: [LoopValue]
  /// The carried values after the loop.
  public var results: [LoopValue]
}

/// `while`: the condition block computes `condition` from the carried values.
public struct WhileLoop: Hashable, Sendable {
  public var initial: [LoopValue]
  public var carried: [LoopValue]
  public var conditionBody: [Statement]
  public var condition: LoopValue
  public var body: [Statement]
  public var yields: [LoopValue]
  public var results: [LoopValue]
}

public struct IfElse: Hashable, Sendable {
  public var condition: LoopValue
  public var thenBody: [Statement]
  public var thenYields: [LoopValue]
  public var elseBody: [Statement]
  public var elseYields: [LoopValue]
  public var results: [LoopValue]
}
