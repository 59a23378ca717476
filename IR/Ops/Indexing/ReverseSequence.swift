import Support

/// The first `lengths[b]` elements along `time_axis` in reverse, for each place `b` along `batch_axis`; the others
/// stay where they are.
///
///     %0: f32[16, 4, 8]
///     %1: i64[4]
///     %2 = reverse_sequence %0, %1 {batch_axis = 1, time_axis = 0} : f32[16, 4, 8]
///
/// A length outside of the time axis is an error.
public struct ReverseSequence: OpKind {
  public static let mnemonics = ["reverse_sequence"]
  public static let operands = [OperandSpec("x", .tensor), OperandSpec("lengths", .integer)]

  /// Negative axes count from the end.
  public var batchAxis = 1
  public var timeAxis = 0

  public init(mnemonic: String) {}
  public init(batchAxis: Int, timeAxis: Int) {
    self.batchAxis = batchAxis
    self.timeAxis = timeAxis
  }

  public mutating func attributes(_ visitor: inout some AttributeVisitor) throws(Diagnostic) {
    try visitor.int("batch_axis", &batchAxis)
    try visitor.int("time_axis", &timeAxis)
  }

  /// Both axes, counted from the start.
  public func axes(rank: Int) throws(Diagnostic) -> (batch: Int, time: Int) {
    let batch = try normalized(axis: batchAxis, rank: rank, "reverse_sequence")
    let time = try normalized(axis: timeAxis, rank: rank, "reverse_sequence")
    guard batch != time else { throw .invalid("reverse_sequence: both axes are \(batch)") }
    return (batch, time)
  }

  public func inferTypes(
    _ inputs: [ValueFact], regions: [RegionFact], in context: inout InferenceContext
  ) throws(Diagnostic) -> [ValueFact] {
    let type = try context.movable(inputs[0], "reverse_sequence")
    let lengths = try inputs[1].dense("reverse_sequence")
    let axes = try axes(rank: type.rank)
    guard lengths.rank == 1 else { throw .invalid("reverse_sequence: the lengths are \(lengths), expected one axis") }
    try context.require(
      lengths.shape[0], equals: type.shape[axes.batch], "reverse_sequence: \(lengths) does not fit \(type)")
    return [ValueFact(type)]
  }

  public func evaluate(_ inputs: [Value], _ call: inout EvaluationCall) throws(Diagnostic) -> [Value] {
    let x = try inputs[0].expectTensor()
    let lengths = try inputs[1].expectTensor().integers()
    let axes = try axes(rank: x.shape.count)
    guard lengths.count == x.shape[axes.batch] else {
      throw .invalid("reverse_sequence: \(lengths.count) lengths do not fit \(x.shape)")
    }
    for length in lengths where length < 0 || length > x.shape[axes.time] {
      throw .invalid("reverse_sequence: length \(length) out of range for extent \(x.shape[axes.time])")
    }
    let strides = rowMajorStrides(x.shape)
    let positions = (0..<x.count).map { position in
      let time = position / strides[axes.time] % x.shape[axes.time]
      let length = lengths[position / strides[axes.batch] % x.shape[axes.batch]]
      return time < length ? position + (length - 1 - 2 * time) * strides[axes.time] : position
    }
    return [.tensor(x.picking(positions, shape: x.shape))]
  }
}
