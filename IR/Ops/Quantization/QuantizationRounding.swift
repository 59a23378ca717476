import Support

/// Where formats disagree about a quotient halfway between two integers.
public enum QuantizationRounding: String, CaseIterable, Sendable {
  /// To the even one: ONNX.
  case nearestEven = "nearest_even"
  /// Away from zero: TFLite.
  case tflite

  public func round(_ value: Double) -> Double {
    value.rounded(self == .nearestEven ? .toNearestOrEven : .toNearestOrAwayFromZero)
  }
}

extension QuantizationRounding {
  /// The stored integer for `value`, saturated to the type. NaN is the zero point.
  ///
  /// The quotient is rounded to f32 before it is rounded to an integer, as every runtime computes it; otherwise ties
  /// would fall differently.
  func quantize(_ value: Double, scale: Double, zero: Int, _ type: ElementType) -> Int {
    guard let range = type.integerRange else { return 0 }
    return quantize(value, scale: scale, zero: zero, range)
  }

  func quantize(_ value: Double, scale: Double, zero: Int, _ range: ClosedRange<Int>) -> Int {
    let units = Int(saturating: round(Double(Float(value / scale))))
    let (sum, overflow) = units.addingReportingOverflow(zero)
    let shifted = overflow ? (units < 0 ? Int.min : Int.max) : sum
    return min(max(shifted, range.lowerBound), range.upperBound)
  }
}
