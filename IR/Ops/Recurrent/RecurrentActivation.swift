import Glibc
import Support

/// A function between the gates of a recurrent op, as its attribute spells it: `tanh`, `leaky_relu 0.01`.
public struct RecurrentActivation: Hashable, Sendable {
  public enum Function: String, CaseIterable, Sendable {
    case relu, tanh, sigmoid, affine, softsign, softplus, elu
    case leakyRelu = "leaky_relu"
    case thresholdedRelu = "thresholded_relu"
    case scaledTanh = "scaled_tanh"
    case hardSigmoid = "hard_sigmoid"

    /// How many numbers it takes.
    public var parameters: Int {
      switch self {
      case .relu, .tanh, .sigmoid, .softsign, .softplus: 0
      case .elu, .leakyRelu, .thresholdedRelu: 1
      case .affine, .scaledTanh, .hardSigmoid: 2
      }
    }
  }
  public var function: Function
  public var alpha: Double
  public var beta: Double

  public init(_ function: Function, alpha: Double = 0, beta: Double = 0) {
    self.function = function
    self.alpha = alpha
    self.beta = beta
  }

  public init(_ text: String) throws(Diagnostic) {
    let words = text.split(separator: " ")
    guard let name = words.first, let function = Function(rawValue: String(name)),
      words.count == function.parameters + 1
    else {
      throw .invalid("the activation \"\(text)\" is none")
    }
    var numbers = [0.0, 0.0]
    for (place, word) in words.dropFirst().enumerated() {
      guard let number = Double(word), number.isFinite else { throw .invalid("the activation \"\(text)\" is none") }
      numbers[place] = number
    }
    self.init(function, alpha: numbers[0], beta: numbers[1])
  }

  public var text: String {
    let numbers = [alpha, beta].prefix(function.parameters).map { " \($0)" }
    return function.rawValue + numbers.joined()
  }

  public func apply(_ x: Double) -> Double {
    switch function {
    case .relu: x < 0 ? 0 : x
    case .tanh: Glibc.tanh(x)
    case .sigmoid: 1 / (1 + exp(-x))
    case .affine: alpha * x + beta
    case .softsign: x / (1 + x.magnitude)
    case .softplus: x > 30 ? x : log1p(exp(x))
    case .elu: x < 0 ? alpha * expm1(x) : x
    case .leakyRelu: x < 0 ? alpha * x : x
    case .thresholdedRelu: x > alpha ? x : 0
    case .scaledTanh: alpha * Glibc.tanh(beta * x)
    case .hardSigmoid: x.isNaN ? x : Swift.max(0, Swift.min(1, alpha * x + beta))
    }
  }
}
