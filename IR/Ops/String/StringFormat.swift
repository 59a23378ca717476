import Support

/// Each number written as a string.
///
///     %0: f32[8]
///     %1 = string_format %0 : str[8]
///
/// Floats have at most eight digits, ten to a power where they are great or small (`1e+10`), and no zeros behind; `NaN`,
/// `INF` and `-INF` are words. Truths are `1` and `0`.
public struct StringFormat: OpKind {
  public static let mnemonics = ["string_format"]
  public static let operands = [OperandSpec("x", .tensor)]

  public init(mnemonic: String) {}
  public init() {}

  public func inferTypes(
    _ inputs: [ValueFact], regions: [RegionFact], in context: inout InferenceContext
  ) throws(Diagnostic) -> [ValueFact] {
    let type = try inputs[0].dense("string_format")
    guard let element = type.plain, element != .string else {
      throw .unsupported("string_format: cannot write \(type)")
    }
    return [ValueFact(.string, type.shape)]
  }

  public func evaluate(_ inputs: [Value], _ call: inout EvaluationCall) throws(Diagnostic) -> [Value] {
    let x = try inputs[0].expectTensor()
    let texts: [String]
    if x.isFloat {
      texts = x.doubles().map(StringFormat.text)
    } else if x.storage == .u64 {
      texts = x.integers().map { String(UInt(bitPattern: $0)) }
    } else {
      texts = x.integers().map { String($0) }
    }
    return [.tensor(Tensor(strings: texts.map { Array($0.utf8) }, shape: x.shape))]
  }

  private static let digits = 8

  /// As C's `%.8g` writes it.
  static func text(_ value: Double) -> String {
    if value.isNaN { return "NaN" }
    let sign = value.sign == .minus ? "-" : ""
    if value.isInfinite { return sign + "INF" }
    if value == 0 { return sign + "0" }
    let (number, exponent) = decimal(value.magnitude)
    var kept = String(number)[...]
    while kept.last == "0" { kept.removeLast() }
    if exponent < -4 || exponent >= digits {
      let power = String(exponent.magnitude)
      let scale = (exponent < 0 ? "e-" : "e+") + (power.count < 2 ? "0" : "") + power
      let rest = kept.dropFirst()
      return sign + kept.prefix(1) + (rest.isEmpty ? "" : "." + rest) + scale
    }
    if exponent < 0 { return sign + "0." + String(repeating: "0", count: -exponent - 1) + kept }
    let whole = exponent + 1
    if kept.count <= whole { return sign + kept + String(repeating: "0", count: whole - kept.count) }
    return sign + kept.prefix(whole) + "." + kept.dropFirst(whole)
  }

  /// The number that the eight leading digits are, rounded as the exact value asks for, and the first one's place.
  private static func decimal(_ value: Double) -> (number: Int, exponent: Int) {
    // The exact value as an integer times a power of two, in arithmetic of as many digits as that takes.
    var exact = ExactDecimal(value)
    return exact.rounded(to: digits)
  }
}
