// What values a dim takes: under given symbols, over their ranges, with symbols replaced.

extension Dim {
  /// The value under `symbols`, or nil where one is missing or a divisor is zero.
  public func evaluate(_ symbols: [String: Int]) -> Int? {
    var sum = 0
    for term in terms {
      var product = term.coefficient
      for factor in term.factors {
        guard let value = factor.evaluate(symbols) else { return nil }
        product = Dim.multiply(product, value)
      }
      sum = Dim.add(sum, product)
    }
    return sum
  }

  /// The same expression with symbols replaced.
  public func substitute(_ replacements: [String: Dim]) -> Dim {
    if terms.allSatisfy({ $0.factors.isEmpty }) { return self }
    var sum = Dim(0)
    for term in terms {
      var product = Dim(term.coefficient)
      for factor in term.factors {
        switch factor {
        case .symbol(let name): product = product * (replacements[name] ?? Dim(symbol: name))
        case .floordiv(let a, let b):
          product = product * a.substitute(replacements).floorDivided(by: b.substitute(replacements))
        case .ceildiv(let a, let b):
          product = product * a.substitute(replacements).ceilDivided(by: b.substitute(replacements))
        case .mod(let a, let b): product = product * a.substitute(replacements).modulo(b.substitute(replacements))
        case .min(let a, let b):
          product = product * Dim.minimum(a.substitute(replacements), b.substitute(replacements))
        case .max(let a, let b):
          product = product * Dim.maximum(a.substitute(replacements), b.substitute(replacements))
        }
      }
      sum = sum + product
    }
    return sum
  }

  /// An interval that holds every value, given the ranges of the symbols; unknown symbols are at least zero.
  public func bounds(_ ranges: [String: ClosedRange<Int>]) -> ClosedRange<Int> {
    var low = 0
    var high = 0
    for term in terms {
      var interval = term.coefficient...term.coefficient
      for factor in term.factors { interval = Dim.multiply(interval, factor.bounds(ranges)) }
      low = Dim.add(low, interval.lowerBound)
      high = Dim.add(high, interval.upperBound)
    }
    return low...max(low, high)
  }

  private static func multiply(_ a: ClosedRange<Int>, _ b: ClosedRange<Int>) -> ClosedRange<Int> {
    let products = [
      multiply(a.lowerBound, b.lowerBound), multiply(a.lowerBound, b.upperBound),
      multiply(a.upperBound, b.lowerBound), multiply(a.upperBound, b.upperBound),
    ]
    return products.min()!...products.max()!
  }

  /// True where `self` equals `other` for every value of the symbols, false where it never does, nil where it depends.
  public func equals(_ other: Dim, _ ranges: [String: ClosedRange<Int>] = [:]) -> Bool? {
    let difference = self - other
    if let constant = difference.constant { return constant == 0 }
    return difference.bounds(ranges).contains(0) ? nil : false
  }
}

extension Dim.Factor {
  func evaluate(_ symbols: [String: Int]) -> Int? {
    func both(_ a: Dim, _ b: Dim, _ combine: (Int, Int) -> Int?) -> Int? {
      guard let x = a.evaluate(symbols), let y = b.evaluate(symbols) else { return nil }
      return combine(x, y)
    }
    switch self {
    case .symbol(let name): return symbols[name]
    case .floordiv(let a, let b): return both(a, b) { $1 == 0 ? nil : Dim.floorDivide($0, $1) }
    case .ceildiv(let a, let b): return both(a, b) { $1 == 0 || $0 == Int.min ? nil : -Dim.floorDivide(-$0, $1) }
    case .mod(let a, let b):
      return both(a, b) { x, y in
        if y == 0 || y == -1 { return y == 0 ? nil : 0 }
        let remainder = x % y
        return remainder != 0 && (remainder < 0) != (y < 0) ? remainder + y : remainder
      }
    case .min(let a, let b): return both(a, b) { Swift.min($0, $1) }
    case .max(let a, let b): return both(a, b) { Swift.max($0, $1) }
    }
  }

  func bounds(_ ranges: [String: ClosedRange<Int>]) -> ClosedRange<Int> {
    switch self {
    case .symbol(let name): return ranges[name] ?? 0...(1 << 40)
    case .min(let a, let b):
      let (x, y) = (a.bounds(ranges), b.bounds(ranges))
      return Swift.min(x.lowerBound, y.lowerBound)...Swift.min(x.upperBound, y.upperBound)
    case .max(let a, let b):
      let (x, y) = (a.bounds(ranges), b.bounds(ranges))
      return Swift.max(x.lowerBound, y.lowerBound)...Swift.max(x.upperBound, y.upperBound)
    case .mod(_, let b):
      let y = b.bounds(ranges)
      return Swift.min(0, y.lowerBound)...Swift.max(0, Dim.add(y.upperBound, -1))
    case .floordiv(let a, let b), .ceildiv(let a, let b):
      let (x, y) = (a.bounds(ranges), b.bounds(ranges))
      guard y.lowerBound > 0 else { return -(1 << 40)...(1 << 40) }
      let corners = [
        Dim.floorDivide(x.lowerBound, y.lowerBound), Dim.floorDivide(x.lowerBound, y.upperBound),
        Dim.floorDivide(x.upperBound, y.lowerBound), Dim.floorDivide(x.upperBound, y.upperBound),
      ]
      if case .ceildiv = self { return corners.min()!...Dim.add(corners.max()!, 1) }
      return corners.min()!...corners.max()!
    }
  }
}
