/// Winograd's way to compute `outputs` neighbouring results of a filter of three taps by `outputs + 2` products
/// instead of `3 * outputs`: inputs and filter go through a transform each, are multiplied element by element, and
/// the products go through a third.
///
/// Inputs and filters are polynomials, known by their values at as many points as their product has coefficients. The
/// points are 0, infinity and pairs of opposites, so that both of a pair share the work: even and odd powers are
/// added up apart, then added and subtracted. Which pairs decides about rounding: with +-1 and +-2, as in
/// textbooks, four outputs lose some three times the accuracy they lose with these, whose inverses are points too.
struct WinogradTransform {
  /// Results an axis.
  let outputs: Int
  /// The positive one of each pair.
  private let pairs: [Double]

  /// For 2 or 4 outputs.
  init(outputs: Int) {
    self.outputs = outputs
    pairs = outputs == 2 ? [1.0] : [0.5, 2.0].map { $0.squareRoot() }
  }

  static let taps = 3
  /// Inputs of a tile, and products, an axis. They stand for 0, each pair's positive and negative, and infinity.
  var products: Int { 2 * pairs.count + 2 }

  /// The polynomial whose roots are the squares of all pairs but `left`, in x squared, lowest power first.
  private func polynomial(without left: Int?) -> [Double] {
    var result = [1.0]
    for (number, point) in pairs.enumerated() where number != left {
      let shifted = [0] + result
      result = shifted.indices.map { shifted[$0] - (result.indices.contains($0) ? point * point * result[$0] : 0) }
    }
    return result
  }

  // MARK: Filters

  /// What each product takes of each tap, `[products][3]`.
  var filterMatrix: [[Double]] {
    var points = [0.0]
    for point in pairs { points += [point, -point] }
    let finite = points.indices.map { own -> [Double] in
      let others = points.filter { $0 != points[own] }.reduce(1.0) { $0 * (points[own] - $1) }
      return [1, points[own], points[own] * points[own]].map { $0 / others }
    }
    return finite + [[0, 0, 1]]
  }

  // MARK: Code

  /// Values of the inputs at the points; an input or a result that is nil is zero.
  func input(_ build: KernelBuilder, _ x: [LoopValue?]) -> [LoopValue?] {
    /// The sum of every other input from `first` on, times a polynomial's coefficients.
    func sum(_ coefficients: [Double], from first: Int) -> LoopValue? {
      // The highest one is 1, and begins the sum.
      var result: LoopValue?
      for (power, coefficient) in coefficients.enumerated().reversed() {
        guard let value = x[first + 2 * power] else { continue }
        result = multiplyAdd(build, value, coefficient, result)
      }
      return result
    }
    let all = polynomial(without: nil)
    var result = [sum(all, from: 0)]
    for (number, point) in pairs.enumerated() {
      let factor = polynomial(without: number)
      let (even, odd) = (sum(factor, from: 2), sum(factor, from: 1))
      result.append(odd.map { multiplyAdd(build, $0, point, even) } ?? even)
      result.append(odd.map { multiplyAdd(build, $0, -point, even) } ?? even)
    }
    return result + [sum(all, from: 1)]
  }

  /// The results of the products.
  func output(_ build: KernelBuilder, _ products: [LoopValue]) -> [LoopValue] {
    let sums = pairs.indices.map { build.add(products[2 * $0 + 1], products[2 * $0 + 2]) }
    let differences = pairs.indices.map { build.sub(products[2 * $0 + 1], products[2 * $0 + 2]) }
    return (0..<outputs).map { power in
      let parts = power % 2 == 0 ? sums : differences
      var result: LoopValue? = power == 0 ? products[0] : power == outputs - 1 ? products[products.count - 1] : nil
      for (number, point) in pairs.enumerated() {
        let coefficient = (0..<power).reduce(1.0) { product, _ in product * point }
        result = multiplyAdd(build, parts[number], coefficient, result)
      }
      return result ?? build.zero(build.type(products[0]))
    }
  }

  /// `value * coefficient + sum`, with what can be spared left out.
  private func multiplyAdd(
    _ build: KernelBuilder, _ value: LoopValue, _ coefficient: Double, _ sum: LoopValue?
  ) -> LoopValue {
    guard let sum else {
      return coefficient == 1 ? value : build.mul(value, build.float(coefficient, build.type(value)))
    }
    if coefficient == 1 { return build.add(sum, value) }
    if coefficient == -1 { return build.sub(sum, value) }
    return build.fma(value, build.float(coefficient, build.type(value)), sum)
  }
}
