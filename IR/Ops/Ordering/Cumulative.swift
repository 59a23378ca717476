import Support

/// Sums or products of the elements along `axis` up to each place.
///
///     %0: f32[8, 64]
///     %1 = cumulative_sum %0 {axis = 1} : f32[8, 64]
///
/// With `exclusive` the element at the place itself is left out; with `reverse` it starts from the end.
public struct Cumulative: OpKind {
  public enum Function: String, CaseIterable, Sendable {
    case sum = "cumulative_sum"
    case product = "cumulative_prod"
  }

  public static let mnemonics = Function.allCases.map(\.rawValue)
  public static let operands = [OperandSpec("x", .number)]

  public var function: Function
  /// Negative axes count from the end.
  public var axis = 0
  public var exclusive = false
  public var reverse = false
  public var mnemonic: String { function.rawValue }

  public init(mnemonic: String) { function = Function(rawValue: mnemonic) ?? .sum }
  public init(_ function: Function, axis: Int, exclusive: Bool = false, reverse: Bool = false) {
    self.function = function
    self.axis = axis
    self.exclusive = exclusive
    self.reverse = reverse
  }

  public mutating func attributes(_ visitor: inout some AttributeVisitor) throws(Diagnostic) {
    try visitor.int("axis", &axis)
    try visitor.bool("exclusive", &exclusive)
    try visitor.bool("reverse", &reverse)
  }

  public func inferTypes(
    _ inputs: [ValueFact], regions: [RegionFact], in context: inout InferenceContext
  ) throws(Diagnostic) -> [ValueFact] {
    let type = try inputs[0].dense(mnemonic)
    _ = try normalized(axis: axis, rank: type.rank, mnemonic)
    return [ValueFact(type)]
  }

  /// The places along an axis in the order in which they are joined.
  private func order(_ extent: Int) -> [Int] { reverse ? (0..<extent).reversed() : Array(0..<extent) }

  public func evaluate(_ inputs: [Value], _ call: inout EvaluationCall) throws(Diagnostic) -> [Value] {
    let x = try inputs[0].expectTensor()
    guard let element = x.storage else { throw .bug("\(mnemonic): cannot take \(x.type)") }
    if x.count == 0 { return [inputs[0]] }
    let lines = AxisLines(x.shape, axis: try normalized(axis: axis, rank: x.shape.count, mnemonic))
    let places = order(lines.extent)
    if element.isFloat {
      var values = x.doubles()
      for start in lines.starts {
        var total = function == .sum ? 0.0 : 1.0
        for place in places {
          let position = start + place * lines.stride
          let next = function == .sum ? total + values[position] : total * values[position]
          values[position] = exclusive ? total : next
          total = next
        }
      }
      return [.tensor(Tensor(element, x.shape, doubles: values))]
    }
    var values = x.integers()
    for start in lines.starts {
      var total = function == .sum ? 0 : 1
      for place in places {
        let position = start + place * lines.stride
        let next = function == .sum ? total &+ values[position] : total &* values[position]
        values[position] = exclusive ? total : next
        total = next
      }
    }
    return [.tensor(Tensor(element, x.shape, integers: values))]
  }
}
