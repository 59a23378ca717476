import Support

/// A comparison of two elements, with broadcasting: `equal`, `less`, ... NaN is unequal to everything. Texts are equal
/// when their bytes are.
///
///     %0: f32[8, 128]
///     %1: f32[]
///     %2 = less %0, %1 : bool[8, 128]
public struct Compare: OpKind {
  public enum Function: String, CaseIterable, Sendable {
    case equal
    case notEqual = "not_equal"
    case less
    case lessEqual = "less_equal"
    case greater
    case greaterEqual = "greater_equal"

    public func holds(_ a: Double, _ b: Double) -> Bool {
      switch self {
      case .equal: a == b
      case .notEqual: a != b
      case .less: a < b
      case .lessEqual: a <= b
      case .greater: a > b
      case .greaterEqual: a >= b
      }
    }

    func holds(_ a: Int, _ b: Int, _ arithmetic: IntegerArithmetic) -> Bool {
      switch self {
      case .equal: a == b
      case .notEqual: a != b
      case .less: arithmetic.isLess(a, b)
      case .lessEqual: !arithmetic.isLess(b, a)
      case .greater: arithmetic.isLess(b, a)
      case .greaterEqual: !arithmetic.isLess(a, b)
      }
    }

    /// The answer that holds for all values of the symbols, if there is one.
    func decide(_ a: Dim, _ b: Dim, _ symbols: [String: ClosedRange<Int>]) -> Bool? {
      let difference = (a - b).bounds(symbols)
      switch self {
      case .equal: return a.equals(b, symbols)
      case .notEqual: return a.equals(b, symbols).map { !$0 }
      case .less: return difference.upperBound < 0 ? true : difference.lowerBound >= 0 ? false : nil
      case .greaterEqual: return difference.lowerBound >= 0 ? true : difference.upperBound < 0 ? false : nil
      case .greater: return difference.lowerBound > 0 ? true : difference.upperBound <= 0 ? false : nil
      case .lessEqual: return difference.upperBound <= 0 ? true : difference.lowerBound > 0 ? false : nil
      }
    }
  }

  public static let mnemonics = Function.allCases.map(\.rawValue)
  public static let operands = [OperandSpec("a", .tensor), OperandSpec("b", .tensor)]

  public var function: Function
  public var mnemonic: String { function.rawValue }

  public init(mnemonic: String) { function = Function(rawValue: mnemonic) ?? .equal }
  public init(_ function: Function) { self.function = function }

  private func takes(_ element: ElementType) -> Bool {
    element == .bool || element == .string
      ? function == .equal || function == .notEqual : element.isFloat || element.isInteger
  }

  public func inferTypes(
    _ inputs: [ValueFact], regions: [RegionFact], in context: inout InferenceContext
  ) throws(Diagnostic) -> [ValueFact] {
    let a = try inputs[0].dense(mnemonic)
    let b = try inputs[1].dense(mnemonic)
    guard let element = a.plain, element == b.plain, takes(element) else {
      throw .invalid("\(mnemonic): cannot compare \(a) and \(b)")
    }
    let type = TensorType(.bool, try context.broadcast(a.shape, b.shape, mnemonic))
    let symbols = context.symbols
    let elements = inputs[0].combined(with: inputs[1], type) { x, y in
      guard x.isExact, y.isExact else { return nil }
      return function.decide(x, y, symbols).map { $0 ? 1 : 0 }
    }
    return [ValueFact(type, holding: elements)]
  }

  public func evaluate(_ inputs: [Value], _ call: inout EvaluationCall) throws(Diagnostic) -> [Value] {
    let a = try inputs[0].expectTensor()
    let b = try inputs[1].expectTensor()
    guard let element = a.storage, element == b.storage, takes(element) else {
      throw .bug("\(mnemonic): cannot compare \(a.type) and \(b.type)")
    }
    let shape = try broadcastShape(a.shape, b.shape, mnemonic)
    if element == .string {
      let x = stridedPositions(shape, strides: broadcastStrides(a.shape, to: shape))
      let y = stridedPositions(shape, strides: broadcastStrides(b.shape, to: shape))
      let wanted = function == .equal
      return [
        .tensor(
          Tensor(
            .bool, shape,
            integers: x.indices.map { (a.strings[x[$0]] == b.strings[y[$0]]) == wanted ? 1 : 0 }))
      ]
    }
    if element.isFloat {
      let x = stretched(a.doubles(), a.shape, to: shape)
      let y = stretched(b.doubles(), b.shape, to: shape)
      return [.tensor(Tensor(.bool, shape, integers: x.indices.map { function.holds(x[$0], y[$0]) ? 1 : 0 }))]
    }
    let x = stretched(a.integers(), a.shape, to: shape)
    let y = stretched(b.integers(), b.shape, to: shape)
    let arithmetic = IntegerArithmetic(element)
    return [.tensor(Tensor(.bool, shape, integers: x.indices.map { function.holds(x[$0], y[$0], arithmetic) ? 1 : 0 }))]
  }
}
