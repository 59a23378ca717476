import Glibc
import IR
import Support

/// Fourier transforms as matrix products: what is short is one product with the matrix of the transform; a length that
/// divides is cut in two, which takes two shorter transforms with a rotation between; a long prime goes by way of a
/// convolution, whose length is a power of two.
struct FourierTransform {
  let context: ONNXNodeContext
  let isInverse: Bool
  let element: ElementType

  /// Up to here one product is cheaper than two with moves between.
  private static let direct = 128
  /// Transforms of longer signals are refused: their constants would outweigh any model.
  static let longest = 1 << 16

  private var sign: Double { isInverse ? 1 : -1 }

  /// `[rows, n, parts]` with one part (real) or two to `[rows, bins, 2]`: the first `bins` elements of the transform,
  /// an inverse one being divided by `n`.
  func transform(_ x: ValueID, n: Dim, bins: Dim) throws(Diagnostic) -> ValueID {
    guard let length = n.constant, length <= FourierTransform.longest, let count = bins.constant else {
      return try openTransform(x, n: n, bins: bins)
    }
    return try transform(x, n: length, bins: count)
  }

  private func transform(_ x: ValueID, n: Int, bins: Int) throws(Diagnostic) -> ValueID {
    let shape = try context.shape(x)
    guard let parts = shape[2].constant, parts == 1 || parts == 2 else {
      throw .invalid("a signal is \(try context.type(x)), expected one or two numbers an element")
    }
    let scale = isInverse ? 1 / Double(n) : 1
    if n <= FourierTransform.direct || (parts == 1 && n <= 4 * FourierTransform.direct) {
      return try product(x, rows: shape[0], n: n, parts: parts, bins: bins, scale: scale)
    }
    let whole = parts == 2 ? x : try context.concat([x, try zeros([shape[0], Dim(n), 1])], axis: 2)
    let all = try spectrum(whole, rows: shape[0], n: n)
    let some = try context.slice(all, axis: 1, start: 0, size: Dim(bins))
    return scale == 1 ? some : try context.binary(.mul, some, try context.scalar(scale, element))
  }

  /// All of the transform of `[rows, n, 2]`, not divided.
  private func spectrum(_ x: ValueID, rows: Dim, n: Int) throws(Diagnostic) -> ValueID {
    if n <= FourierTransform.direct { return try product(x, rows: rows, n: n, parts: 2, bins: n, scale: 1) }
    guard let a = FourierTransform.factor(of: n) else { return try byConvolution(x, rows: rows, n: n) }
    let b = n / a
    // Element j1 b + j2 of the signal; element k1 + a k2 of the transform.
    let columns = try context.transpose(try context.reshape(x, [rows, Dim(a), Dim(b), 2]), [0, 2, 1, 3])
    let first = try spectrum(try context.reshape(columns, [rows * b, Dim(a), 2]), rows: rows * b, n: a)
    var turns: [(Double, Double)] = []
    for j in 0..<b { for k in 0..<a { turns.append(angle(j * k, n)) } }
    let turned = try rotated(try context.reshape(first, [rows, Dim(n), 2]), turns)
    let rowsAgain = try context.transpose(try context.reshape(turned, [rows, Dim(b), Dim(a), 2]), [0, 2, 1, 3])
    let second = try spectrum(try context.reshape(rowsAgain, [rows * a, Dim(b), 2]), rows: rows * a, n: b)
    let ordered = try context.transpose(try context.reshape(second, [rows, Dim(a), Dim(b), 2]), [0, 2, 1, 3])
    return try context.reshape(ordered, [rows, Dim(n), 2])
  }

  /// The factor nearest to the root; nil for primes.
  private static func factor(of n: Int) -> Int? {
    var a = Int(Double(n).squareRoot())
    while a > 1 {
      if n % a == 0 { return a }
      a -= 1
    }
    return nil
  }

  /// Cosine and sine of `sign * 2 pi * number / n`, the number reduced first.
  private func angle(_ number: Int, _ n: Int) -> (Double, Double) {
    let turn = 2 * Double.pi * Double(number % n) / Double(n)
    return (cos(turn), sign * sin(turn))
  }

  private func product(
    _ x: ValueID, rows: Dim, n: Int, parts: Int, bins: Int, scale: Double
  ) throws(Diagnostic) -> ValueID {
    var matrix = [Double](repeating: 0, count: n * parts * bins * 2)
    for j in 0..<n {
      for k in 0..<bins {
        let (c, s) = angle(j * k, n)
        let place = j * parts * bins * 2 + k * 2
        (matrix[place], matrix[place + 1]) = (c * scale, s * scale)
        if parts == 2 { (matrix[place + bins * 2], matrix[place + bins * 2 + 1]) = (-s * scale, c * scale) }
      }
    }
    let weight = try weight([n * parts, bins * 2], matrix)
    let flat = try context.reshape(x, [rows, Dim(n * parts)])
    return try context.reshape(try context.add(MatMul(), flat, weight), [rows, Dim(bins), 2])
  }

  /// Each complex element of `[rows, n, 2]` times its own number.
  private func rotated(_ x: ValueID, _ numbers: [(Double, Double)]) throws(Diagnostic) -> ValueID {
    // (re, im) (c, s) = re (c, s) + im (-s, c)
    var (first, second): ([Double], [Double]) = ([], [])
    for (c, s) in numbers {
      first += [c, s]
      second += [-s, c]
    }
    let shape = try context.shape(x)
    func part(_ number: Int, _ factors: [Double]) throws(Diagnostic) -> ValueID {
      let one = try context.slice(x, axis: 2, start: Dim(number), size: 1)
      return try context.binary(.mul, try context.broadcast(one, shape), try weight([numbers.count, 2], factors))
    }
    return try context.binary(.add, try part(0, first), try part(1, second))
  }

  /// Bluestein's way: `jk = (j^2 + k^2 - (k - j)^2) / 2` makes a convolution of the transform.
  private func byConvolution(_ x: ValueID, rows: Dim, n: Int) throws(Diagnostic) -> ValueID {
    var m = 1
    while m < 2 * n - 1 { m *= 2 }
    // Angles by the square modulo 2 n, so that they stay exact.
    let chirp = (0..<n).map { j -> (Double, Double) in
      let turn = Double.pi * Double(j * j % (2 * n)) / Double(n)
      return (cos(turn), sign * sin(turn))
    }
    var filter = [(Double, Double)](repeating: (0, 0), count: m)
    for (j, (c, s)) in chirp.enumerated() {
      filter[j] = (c, -s)
      if j > 0 { filter[m - j] = (c, -s) }
    }
    let forward = FourierTransform(context: context, isInverse: false, element: element)
    let backward = FourierTransform(context: context, isInverse: true, element: element)
    let padded = try context.concat(
      [try rotated(x, chirp), try zeros([rows, Dim(m - n), 2])], axis: 1)
    let product = try rotated(
      try forward.spectrum(padded, rows: rows, n: m), FourierTransform.power(filter))
    let whole = try backward.spectrum(product, rows: rows, n: m)
    let some = try context.slice(whole, axis: 1, start: 0, size: Dim(n))
    return try rotated(some, chirp.map { ($0.0 / Double(m), $0.1 / Double(m)) })
  }

  /// The forward transform of as many numbers as a power of two.
  private static func power(_ x: [(Double, Double)]) -> [(Double, Double)] {
    if x.count <= 1 { return x }
    let even = power(stride(from: 0, to: x.count, by: 2).map { x[$0] })
    let odd = power(stride(from: 1, to: x.count, by: 2).map { x[$0] })
    var result = x
    for k in even.indices {
      let turn = -2 * Double.pi * Double(k) / Double(x.count)
      let (c, s) = (cos(turn), sin(turn))
      let (re, im) = (odd[k].0 * c - odd[k].1 * s, odd[k].0 * s + odd[k].1 * c)
      result[k] = (even[k].0 + re, even[k].1 + im)
      result[k + even.count] = (even[k].0 - re, even[k].1 - im)
    }
    return result
  }

  private func zeros(_ shape: [Dim]) throws(Diagnostic) -> ValueID {
    try context.broadcast(try context.scalar(0.0, element), shape)
  }

  private func weight(_ shape: [Int], _ numbers: [Double]) throws(Diagnostic) -> ValueID {
    try context.importer.weight(Tensor(element, shape, doubles: numbers), name: "fourier")
  }
}
