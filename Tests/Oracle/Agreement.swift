import IR
import Support

/// How near a result must be to what a peer recorded. The bounds are relative to the recorded number, or, where sums may
/// cancel, to the greatest number of the tensor.
enum Agreement: String, Decodable, Sendable {
  /// What only moves elements keeps every bit, NaNs' included.
  case bits
  /// The same number and the same sign of zero; NaN for NaN. The peer rounds the same exact number once, as IEEE says.
  case exact
  /// Both round nearly the same f64 once, from another math library: they may fall on neighbours.
  case rounded
  /// As rounded. Compiled code subtracts the maximum in f32, and half a unit of a distance of 100 is 4e-6 of the power;
  /// powers below the least normal number are zero there.
  case shares
  /// Both sum in f64, in another order, be it only the sums of ones in gelu.
  case sums
  /// The peer computes in f32: 1e-5 is what a hundred roundings of f32 may come to.
  case single
  /// The peer computes places between elements in f32 and multiplies differences of elements by what rounding left.
  case resampled

  /// What is wrong with `given`, if anything. Compiled code sums in f32 and approximates functions
  /// within a few units.
  func complaint(_ given: Tensor, _ expected: Tensor, compiled: Bool = false) -> String? {
    guard given.type == expected.type else { return "\(given.type) is not \(expected.type)" }
    if self == .bits || !expected.isFloat {
      if given.bytes == expected.bytes { return nil }
      return expected.isFloat || expected.storage == nil
        ? "\(given.doubles()) is not \(expected.doubles()) in all bits"
        : "\(given.integers()) is not \(expected.integers())"
    }
    let (a, b) = (given.doubles(), expected.doubles())
    let unit = Agreement.unit(expected.storage ?? .f64)
    let greatest = b.reduce(1) { $1.isFinite ? max($0, abs($1)) : $0 }
    for i in a.indices where !(a[i].isNaN && b[i].isNaN) {
      if a[i].bitPattern == b[i].bitPattern || (self != .exact && a[i] == b[i]) { continue }
      let bound = compiled ? compiledBound(b[i], unit, greatest) : bound(b[i], unit, greatest)
      if !(abs(a[i] - b[i]) <= bound) || bound == 0 { return "element \(i) is \(a[i]), expected \(b[i])" }
    }
    return nil
  }

  private func bound(_ number: Double, _ unit: Double, _ greatest: Double) -> Double {
    switch self {
    case .bits, .exact: 0
    // Libraries are good to a few units of f64; to narrower types that is one rounding the other way.
    case .rounded, .shares: (unit < 0x1p-50 ? 4 : 1) * unit * abs(number) + unit * 0x1p-126
    case .sums: unit * abs(number) + 1e-13 * greatest
    case .single: unit * abs(number) + 1e-5 * greatest
    case .resampled: unit * abs(number) + 1e-4 * greatest
    }
  }

  private func compiledBound(_ number: Double, _ unit: Double, _ greatest: Double) -> Double {
    switch self {
    case .bits, .exact: 0
    // Twice what Docs/Math.md says of the worst function.
    case .rounded: 4 * unit * abs(number) + unit * 0x1p-126
    case .shares: (2 * unit + 4e-6) * abs(number) + 0x1p-126
    case .sums, .single: 2 * unit * abs(number) + max(2e-5, 2 * unit) * greatest
    case .resampled: unit * abs(number) + 1e-4 * greatest
    }
  }

  /// The distance from 1 to the next number of the type.
  private static func unit(_ element: ElementType) -> Double {
    switch element {
    case .f64: 0x1p-52
    case .f32: 0x1p-23
    case .f16: 0x1p-10
    case .bf16: 0x1p-7
    case .f8e4m3fn, .f8e4m3fnuz: 0x1p-3
    default: 0x1p-2
    }
  }
}
