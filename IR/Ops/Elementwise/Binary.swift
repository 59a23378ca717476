import Glibc
import Support

/// A function of two elements, with broadcasting: `add`, `mul`, `shift_left`, ...
///
///     %0: f32[8, 128]
///     %1: f32[128]
///     %2 = add %0, %1 : f32[8, 128]
///
/// Integers wrap. `div` of integers rounds towards zero, `floor_div` of anything downwards; `rem` belongs to the one and
/// has the dividend's sign, `mod` belongs to the other and has the divisor's. On integers all four fail on a zero
/// divisor; the quotient of floats is rounded before `floor_div` rounds it down. `minimum` and `maximum` give NaN where either is NaN. `atan2` is the angle of the point (b, a). `and`, `or` and `xor` take bools and integers; shifts take
/// integers, and a distance outside of the width shifts everything out.
public struct Binary: OpKind {
  public enum Function: String, CaseIterable, Sendable {
    case add, sub, mul, div, mod, rem, minimum, maximum, pow, atan2, and, or, xor
    case floorDiv = "floor_div"
    case shiftLeft = "shift_left"
    case shiftRight = "shift_right"

    public func takes(_ element: ElementType) -> Bool {
      switch self {
      case .and, .or, .xor: element == .bool || element.isInteger
      case .shiftLeft, .shiftRight: element.isInteger
      case .atan2: element.isFloat
      default: element.isFloat || element.isInteger
      }
    }

    public func apply(_ a: Double, _ b: Double) -> Double {
      switch self {
      case .add: a + b
      case .sub: a - b
      case .mul: a * b
      case .div: a / b
      case .mod: Function.floorRemainder(a, b)
      case .rem: fmod(a, b)
      case .floorDiv: (a / b).rounded(.down)
      case .atan2: Glibc.atan2(a, b)
      case .minimum: a.isNaN || b.isNaN ? .nan : Swift.min(a, b)
      case .maximum: a.isNaN || b.isNaN ? .nan : Swift.max(a, b)
      case .pow: Glibc.pow(a, b)
      default: .nan
      }
    }

    private static func floorRemainder(_ a: Double, _ b: Double) -> Double {
      let remainder = fmod(a, b)
      if remainder == 0 { return copysign(0, b) }
      return (remainder < 0) != (b < 0) ? remainder + b : remainder
    }

    /// What extents know of the result; nil where an expression of dims cannot say.
    func combine(_ a: Dim, _ b: Dim, _ symbols: [String: ClosedRange<Int>]) -> Dim? {
      switch self {
      case .add: return a + b
      case .sub: return a - b
      case .mul: return a * b
      case .minimum: return Dim.minimum(a, b)
      case .maximum: return Dim.maximum(a, b)
      case .div, .mod, .rem, .floorDiv:
        if let x = a.constant, let y = b.constant, y != 0, x != Int.min, y != Int.min {
          switch self {
          case .div: return Dim(x / y)
          case .rem: return Dim(x % y)
          case .floorDiv: return Dim(Dim.floorDivide(x, y))
          default: return Dim(x - y * Dim.floorDivide(x, y))
          }
        }
        // Towards zero is down only where nothing is negative.
        guard a.bounds(symbols).lowerBound >= 0, b.bounds(symbols).lowerBound > 0 else { return nil }
        return self == .div || self == .floorDiv ? a.floorDivided(by: b) : a.modulo(b)
      case .and, .or, .xor:
        guard let x = a.constant, let y = b.constant else { return nil }
        return Dim(self == .and ? x & y : self == .or ? x | y : x ^ y)
      case .pow, .atan2, .shiftLeft, .shiftRight: return nil
      }
    }
  }

  public static let mnemonics = Function.allCases.map(\.rawValue)
  public static let operands = [OperandSpec("a", .tensor), OperandSpec("b", .tensor)]

  public var function: Function
  public var mnemonic: String { function.rawValue }

  public init(mnemonic: String) { function = Function(rawValue: mnemonic) ?? .add }
  public init(_ function: Function) { self.function = function }

  public func inferTypes(
    _ inputs: [ValueFact], regions: [RegionFact], in context: inout InferenceContext
  ) throws(Diagnostic) -> [ValueFact] {
    let a = try inputs[0].dense(mnemonic)
    let b = try inputs[1].dense(mnemonic)
    guard let element = a.plain, element == b.plain, function.takes(element) else {
      throw .invalid("\(mnemonic): cannot take \(a) and \(b)")
    }
    let type = TensorType(element, try context.broadcast(a.shape, b.shape, mnemonic))
    let symbols = context.symbols
    let elements = inputs[0].combined(with: inputs[1], type) { function.combine($0, $1, symbols) }
    return [ValueFact(type, holding: elements)]
  }

  public func evaluate(_ inputs: [Value], _ call: inout EvaluationCall) throws(Diagnostic) -> [Value] {
    let a = try inputs[0].expectTensor()
    let b = try inputs[1].expectTensor()
    guard let element = a.storage, element == b.storage, function.takes(element) else {
      throw .bug("\(mnemonic): cannot take \(a.type) and \(b.type)")
    }
    let shape = try broadcastShape(a.shape, b.shape, mnemonic)
    if element.isFloat {
      let x = stretched(a.doubles(), a.shape, to: shape)
      let y = stretched(b.doubles(), b.shape, to: shape)
      var values = x.indices.map { function.apply(x[$0], y[$0]) }
      if function == .floorDiv {
        // The quotient is rounded to the type before it is rounded down.
        values = Tensor(element, shape, doubles: x.indices.map { x[$0] / y[$0] }).doubles().map { $0.rounded(.down) }
      }
      return [.tensor(Tensor(element, shape, doubles: values))]
    }
    let x = stretched(a.integers(), a.shape, to: shape)
    let y = stretched(b.integers(), b.shape, to: shape)
    let arithmetic = IntegerArithmetic(element)
    var result = [Int](repeating: 0, count: x.count)
    for i in x.indices { result[i] = try arithmetic.apply(function, x[i], y[i]) }
    return [.tensor(Tensor(element, shape, integers: result))]
  }
}
