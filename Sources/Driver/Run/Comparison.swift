import Glibc
import IR
import Support

/// How far one result is from another.
struct Comparison {
  var maximumAbsolute = 0.0
  var maximumRelative = 0.0
  /// The signal over the error in decibels; infinite for equal results.
  var signalToError = Double.infinity
  var isOK = true
  /// Why the two cannot be compared at all.
  var mismatch: String?

  /// The share of the largest expected value that is tolerated where nothing else is asked for.
  private static let ordinaryShare = 1e-5

  /// ok means |a - b| <= atol + rtol |b|; a NaN equals a NaN, an infinity itself. Without `atol` it is
  /// a share of the largest expected value, or of one if that is larger: rounding errors are as large as the sums
  /// they come from, however small one result of many happens to be.
  init(_ result: Tensor, _ expected: Tensor, rtol: Double, atol: Double?) {
    guard result.shape == expected.shape else {
      mismatch = "shape \(result.shape), expected \(expected.shape)"
      isOK = false
      maximumAbsolute = .infinity
      maximumRelative = .infinity
      signalToError = -.infinity
      return
    }
    if result.storage == .string || expected.storage == .string {
      isOK = result.strings == expected.strings
      if !isOK { mismatch = "the texts differ" }
      return
    }
    let a = result.doubles()
    let b = expected.doubles()
    var signal = 0.0
    var error = 0.0
    let largest = b.reduce(1) { $1.isFinite ? max($0, $1.magnitude) : $0 }
    let atol = atol ?? Self.ordinaryShare * largest
    for index in 0..<min(a.count, b.count) {
      let x = a[index]
      let y = b[index]
      if x == y || (x.isNaN && y.isNaN) {
        if y.isFinite { signal += y * y }
        continue
      }
      let distance = x.isFinite && y.isFinite ? (x - y).magnitude : .infinity
      maximumAbsolute = max(maximumAbsolute, distance)
      let relative = y == 0 || distance == .infinity ? distance : distance / y.magnitude
      if y != 0 { maximumRelative = max(maximumRelative, relative) }
      signal += y.isFinite ? y * y : 0
      error += distance * distance
      if !(distance <= atol + rtol * y.magnitude) { isOK = false }
    }
    if error > 0 { signalToError = signal > 0 ? 10 * log10(signal / error) : -.infinity }
  }

  /// Lists agree when they have as many members, each of which agrees.
  init(_ result: Value, _ expected: Value, rtol: Double, atol: Double?) {
    if let tensor = result.tensor, let wanted = expected.tensor {
      self.init(tensor, wanted, rtol: rtol, atol: atol)
      return
    }
    let (given, wanted) = (Comparison.members(result), Comparison.members(expected))
    guard given.count == wanted.count else {
      mismatch = "\(given.count) members, expected \(wanted.count)"
      isOK = false
      maximumAbsolute = .infinity
      maximumRelative = .infinity
      signalToError = -.infinity
      return
    }
    for (a, b) in zip(given, wanted) {
      let part = Comparison(a, b, rtol: rtol, atol: atol)
      maximumAbsolute = max(maximumAbsolute, part.maximumAbsolute)
      maximumRelative = max(maximumRelative, part.maximumRelative)
      signalToError = min(signalToError, part.signalToError)
      isOK = isOK && part.isOK
      mismatch = mismatch ?? part.mismatch
    }
  }

  private static func members(_ value: Value) -> [Value] {
    switch value {
    case .tensor: [value]
    case .sequence(let members): members
    case .optional(let member): member.map { [$0] } ?? []
    }
  }

  /// For printing: a few digits.
  static func short(_ number: Double) -> String {
    guard number.isFinite else { return number > 0 ? "inf" : number.isNaN ? "nan" : "-inf" }
    return significant(number, digits: 3)
  }
}

/// `number` with so many digits behind the point.
func fixed(_ number: Double, digits: Int) -> String {
  var buffer = [CChar](repeating: 0, count: 400)
  let count = withVaList([Int32(digits), number]) { vsnprintf(&buffer, buffer.count, "%.*f", $0) }
  return String(decoding: buffer.prefix(max(0, Int(count))).map { UInt8(bitPattern: $0) }, as: UTF8.self)
}

/// `number` with so many significant digits.
func significant(_ number: Double, digits: Int) -> String {
  var buffer = [CChar](repeating: 0, count: 64)
  let count = withVaList([Int32(digits), number]) { vsnprintf(&buffer, buffer.count, "%.*g", $0) }
  return String(decoding: buffer.prefix(max(0, Int(count))).map { UInt8(bitPattern: $0) }, as: UTF8.self)
}
