import IR

/// What the memory plan may assume of sizes, which are never negative.
extension Dim {
  /// Whether a greater symbol never makes the expression smaller: no negative term, nothing but sums of products.
  var growsWithItsSymbols: Bool {
    // The text is canonical.
    let text = description
    return !text.contains("-") && !text.contains("mod(") && !text.contains("floordiv(")
  }

  /// Whether a size does not get smaller when `symbol` gets larger.
  func grows(with symbol: String) -> Bool {
    let growth = build(
      constant: { Growth(degree: 0, isMonotone: $0 >= 0) },
      symbol: { Growth(degree: $0 == symbol ? 1 : 0, isMonotone: true) },
      combine: { operation, a, b in
        let areMonotone = a.isMonotone && b.isMonotone
        switch operation {
        case .add: return Growth(degree: Swift.max(a.degree, b.degree), isMonotone: areMonotone)
        case .multiply: return Growth(degree: a.degree + b.degree, isMonotone: areMonotone)
        case .min, .max:
          return Growth(degree: a.degree + b.degree == 0 ? 0 : 2, isMonotone: areMonotone)
        case .floordiv, .ceildiv:
          return Growth(degree: a.degree + b.degree == 0 ? 0 : 2, isMonotone: a.isMonotone && b.degree == 0)
        case .mod:
          return Growth(degree: a.degree + b.degree == 0 ? 0 : 2, isMonotone: a.degree + b.degree == 0)
        }
      })
    // What is linear and never negative cannot have a negative slope, whatever its terms look like.
    return growth.degree <= 1 || growth.isMonotone
  }
}

/// How an expression depends on one symbol.
private struct Growth {
  /// In the symbol; 2 for all that is not linear.
  var degree: Int
  var isMonotone: Bool
}
