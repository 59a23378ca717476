import Support

/// Evenly distributed integers that depend on the seed, the stream and the position alone: every run gives the same.
///
///     %0 = random_bits {to = u32, shape = [8, 128], seed = 42} : u32[8, 128]
///
/// Element `i` is number `i` of SplitMix64 from `key`, of which u32 takes the upper half. Streams of one seed have
/// nothing to do with each other.
public struct RandomBits: OpKind {
  public static let mnemonics = ["random_bits"]
  public static let operands: [OperandSpec] = []

  public var to: TensorElement = .plain(.u32)
  public var shape: [Dim] = []
  public var seed = 0
  public var stream = 0

  public init(mnemonic: String) {}
  public init(_ element: ElementType, shape: [Dim], seed: Int, stream: Int = 0) {
    to = .plain(element)
    self.shape = shape
    self.seed = seed
    self.stream = stream
  }

  public mutating func attributes(_ visitor: inout some AttributeVisitor) throws(Diagnostic) {
    try visitor.element("to", &to)
    try visitor.dims("shape", &shape)
    try visitor.int("seed", &seed)
    try visitor.int("stream", &stream)
  }

  /// What element 0 adds one step to.
  public var key: UInt64 {
    RandomBits.mix(RandomBits.mix(UInt64(bitPattern: Int64(seed))) &+ UInt64(bitPattern: Int64(stream)))
  }

  /// The step from one element to the next.
  public static let step: UInt64 = 0x9e37_79b9_7f4a_7c15
  public static let multipliers: [UInt64] = [0xbf58_476d_1ce4_e5b9, 0x94d0_49bb_1331_11eb]
  public static let shifts = [30, 27, 31]

  public static func mix(_ value: UInt64) -> UInt64 {
    var x = value
    for (shift, multiplier) in zip(shifts, multipliers) { x = (x ^ (x >> UInt64(shift))) &* multiplier }
    return x ^ (x >> UInt64(shifts[2]))
  }

  public func inferTypes(
    _ inputs: [ValueFact], regions: [RegionFact], in context: inout InferenceContext
  ) throws(Diagnostic) -> [ValueFact] {
    guard to == .plain(.u32) || to == .plain(.u64) else {
      throw .invalid("random_bits: makes u32 or u64, not \(to)")
    }
    try checkExtents(shape, "random_bits")
    return [ValueFact(TensorType(to, shape))]
  }

  public func evaluate(_ inputs: [Value], _ call: inout EvaluationCall) throws(Diagnostic) -> [Value] {
    let shape = try call.shape(shape, "random_bits")
    let isWide = to == .plain(.u64)
    var state = key
    var numbers = [Int](repeating: 0, count: shape.reduce(1, *))
    for i in numbers.indices {
      state &+= RandomBits.step
      let number = RandomBits.mix(state)
      numbers[i] = isWide ? Int(bitPattern: UInt(number)) : Int(number >> 32)
    }
    return [.tensor(Tensor(isWide ? .u64 : .u32, shape, integers: numbers))]
  }
}
