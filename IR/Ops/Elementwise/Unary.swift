import Glibc
import Support

/// A function of each element: `neg`, `exp`, `relu`, ...
///
///     %0: f32[8, 128]
///     %1 = tanh %0 : f32[8, 128]
///
/// Floats take all but `not` and `bit_not`; integers `neg`, `abs`, `sign`, `relu` and `bit_not`; bools `not`. `round`
/// goes to the nearest even number; `is_nan` gives bool.
public struct Unary: OpKind {
  public enum Function: String, CaseIterable, Sendable {
    case neg, abs, sign, exp, log, sqrt, rsqrt, reciprocal, tanh, sigmoid, erf, relu, floor, ceil, round, sin, cos, not
    case bitNot = "bit_not"
    case isNaN = "is_nan"

    public func takes(_ element: ElementType) -> Bool {
      switch self {
      case .not: element == .bool
      case .bitNot: element.isInteger
      case .neg, .abs, .sign, .relu: element.isFloat || element.isInteger
      default: element.isFloat
      }
    }

    public func apply(_ x: Double) -> Double {
      switch self {
      case .neg: -x
      case .abs: Swift.abs(x)
      case .sign: x.isNaN ? x : x > 0 ? 1 : x < 0 ? -1 : 0
      case .exp: Glibc.exp(x)
      case .log: Glibc.log(x)
      case .sqrt: x.squareRoot()
      case .rsqrt: 1 / x.squareRoot()
      case .reciprocal: 1 / x
      case .tanh: Glibc.tanh(x)
      case .sigmoid: 1 / (1 + Glibc.exp(-x))
      case .erf: Glibc.erf(x)
      case .relu: x < 0 ? 0 : x
      case .floor: x.rounded(.down)
      case .ceil: x.rounded(.up)
      case .round: x.rounded(.toNearestOrEven)
      case .sin: Glibc.sin(x)
      case .cos: Glibc.cos(x)
      case .isNaN: x.isNaN ? 1 : 0
      case .not, .bitNot: x
      }
    }

    /// On integers; the caller wraps. Unsigned types have no negative numbers, so `abs` and `relu` leave them alone.
    func apply(_ x: Int, signed: Bool) -> Int {
      switch self {
      case .neg: 0 &- x
      case .abs: signed && x < 0 ? 0 &- x : x
      case .sign: x == 0 ? 0 : signed && x < 0 ? -1 : 1
      case .relu: signed && x < 0 ? 0 : x
      case .bitNot: ~x
      case .not: x == 0 ? 1 : 0
      default: x
      }
    }
  }

  public static let mnemonics = Function.allCases.map(\.rawValue)
  public static let operands = [OperandSpec("x", .tensor)]

  public var function: Function
  public var mnemonic: String { function.rawValue }

  public init(mnemonic: String) { function = Function(rawValue: mnemonic) ?? .neg }
  public init(_ function: Function) { self.function = function }

  public func inferTypes(
    _ inputs: [ValueFact], regions: [RegionFact], in context: inout InferenceContext
  ) throws(Diagnostic) -> [ValueFact] {
    let type = try inputs[0].dense(mnemonic)
    guard let element = type.plain, function.takes(element) else { throw .invalid("\(mnemonic): cannot take \(type)") }
    guard function != .not else {
      return [ValueFact(type, holding: inputs[0].known?.elements.map { Dim(1) - $0 })]
    }
    return [ValueFact(function == .isNaN ? type.with(element: .bool) : type)]
  }

  public func evaluate(_ inputs: [Value], _ call: inout EvaluationCall) throws(Diagnostic) -> [Value] {
    let x = try inputs[0].expectTensor()
    guard let element = x.storage, function.takes(element) else { throw .bug("\(mnemonic): cannot take \(x.type)") }
    if element.isFloat {
      let values = x.doubles().map { function.apply($0) }
      return [.tensor(Tensor(function == .isNaN ? .bool : element, x.shape, doubles: values))]
    }
    return [
      .tensor(Tensor(element, x.shape, integers: x.integers().map { function.apply($0, signed: element.isSigned) }))
    ]
  }
}
