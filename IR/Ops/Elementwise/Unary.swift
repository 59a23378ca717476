import Glibc
import Support

/// A function of each element: `neg`, `exp`, `relu`, ...
///
///     %0: f32[8, 128]
///     %1 = tanh %0 : f32[8, 128]
///
/// Floats take all but `not` and `bit_not`; integers `neg`, `abs`, `sign`, `relu` and `bit_not`; bools `not`. `round`
/// goes to the nearest integer, halves to the even one, `round_away` takes halves away from zero, `trunc` goes towards
/// zero. `silu` is `x sigmoid(x)`, `gelu` is `x` times the normal distribution's integral up to `x`, `gelu_tanh` comes
/// close to it by `x sigmoid(2 sqrt(2 / pi) (x + 0.044715 x^3))`, and `hard_swish` is `x min(max(x + 3, 0), 6) / 6`. `log1p` is `log(1 + x)` and `expm1` is `exp(x) - 1`, both exact near zero; `is_nan` gives bool.
public struct Unary: OpKind {
  public enum Function: String, CaseIterable, Sendable {
    case neg, abs, sign, relu, not, sqrt, rsqrt, reciprocal, sigmoid, erf, silu, gelu
    case exp, exp2, expm1, log, log2, log1p
    case sin, cos, tan, asin, acos, atan
    case sinh, cosh, tanh, asinh, acosh, atanh
    case floor, ceil, round, trunc
    case roundAway = "round_away"
    case bitNot = "bit_not"
    case isNaN = "is_nan"
    case geluTanh = "gelu_tanh"
    case hardSwish = "hard_swish"

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
      case .exp2: Glibc.exp2(x)
      case .expm1: Glibc.expm1(x)
      case .log: Glibc.log(x)
      case .log2: Glibc.log2(x)
      case .log1p: Glibc.log1p(x)
      case .sqrt: x.squareRoot()
      case .rsqrt: 1 / x.squareRoot()
      case .reciprocal: 1 / x
      case .tanh: Glibc.tanh(x)
      case .sigmoid: 1 / (1 + Glibc.exp(-x))
      case .erf: Glibc.erf(x)
      case .silu: x / (1 + Glibc.exp(-x))
      case .gelu: x * (0.5 * Glibc.erfc(-x * 0.5.squareRoot()))
      case .geluTanh: x / (1 + Glibc.exp(-2 * (2 / Double.pi).squareRoot() * (x + 0.044715 * x * x * x)))
      // NaN is the second operand, which the comparisons yield.
      case .hardSwish: x * min(max(x + 3, 0), 6) / 6
      case .relu: x < 0 ? 0 : x
      case .floor: x.rounded(.down)
      case .ceil: x.rounded(.up)
      case .round: x.rounded(.toNearestOrEven)
      case .roundAway: x.rounded(.toNearestOrAwayFromZero)
      case .trunc: x.rounded(.towardZero)
      case .sin: Glibc.sin(x)
      case .cos: Glibc.cos(x)
      case .tan: Glibc.tan(x)
      case .asin: Glibc.asin(x)
      case .acos: Glibc.acos(x)
      case .atan: Glibc.atan(x)
      case .sinh: Glibc.sinh(x)
      case .cosh: Glibc.cosh(x)
      case .asinh: Glibc.asinh(x)
      case .acosh: Glibc.acosh(x)
      case .atanh: Glibc.atanh(x)
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
