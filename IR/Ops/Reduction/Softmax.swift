import Glibc
import Support

/// `exp(x - max) / sum(exp(x - max))` along `axis`, in f64.
///
///     %0: f32[8, 1000]
///     %1 = softmax %0 {axis = 1} : f32[8, 1000]
public struct Softmax: OpKind {
  public static let mnemonics = ["softmax"]
  public static let operands = [OperandSpec("x", .float)]

  /// Negative axes count from the end.
  public var axis = -1

  public init(mnemonic: String) {}
  public init(axis: Int = -1) { self.axis = axis }

  public mutating func attributes(_ visitor: inout some AttributeVisitor) throws(Diagnostic) {
    try visitor.int("axis", &axis)
  }

  public func inferTypes(
    _ inputs: [ValueFact], regions: [RegionFact], in context: inout InferenceContext
  ) throws(Diagnostic) -> [ValueFact] {
    let type = try inputs[0].dense("softmax")
    _ = try normalized(axis: axis, rank: type.rank, "softmax")
    return [ValueFact(type)]
  }

  public func evaluate(_ inputs: [Value], _ call: inout EvaluationCall) throws(Diagnostic) -> [Value] {
    let x = try inputs[0].expectTensor()
    guard let element = x.storage else { throw .bug("softmax: cannot take \(x.type)") }
    let axis = try normalized(axis: axis, rank: x.shape.count, "softmax")
    var values = x.doubles()
    let (outer, length) = (x.shape[..<axis].reduce(1, *), x.shape[axis])
    let inner = x.shape[(axis + 1)...].reduce(1, *)
    for row in 0..<outer {
      for column in 0..<inner {
        let start = row * length * inner + column
        var greatest = -Double.infinity
        for i in 0..<length { greatest = Binary.Function.maximum.apply(greatest, values[start + i * inner]) }
        var sum = 0.0
        for i in 0..<length {
          let power = exp(values[start + i * inner] - greatest)
          values[start + i * inner] = power
          sum += power
        }
        for i in 0..<length { values[start + i * inner] /= sum }
      }
    }
    return [.tensor(Tensor(element, x.shape, doubles: values))]
  }
}
