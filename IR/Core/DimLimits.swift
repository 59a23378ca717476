// How large a dim is, for those who must not trust it.

extension Dim {
  /// True when no number in the expression is greater than `limit` in magnitude.
  func isWithin(_ limit: Int) -> Bool {
    terms.allSatisfy { term in
      term.coefficient.magnitude <= limit.magnitude
        && term.factors.allSatisfy { factor in
          switch factor {
          case .symbol: true
          case .floordiv(let a, let b), .ceildiv(let a, let b), .mod(let a, let b), .min(let a, let b),
            .max(let a, let b):
            a.isWithin(limit) && b.isWithin(limit)
          }
        }
    }
  }
}

extension Dim {
  /// True when the expression has at most so many parts; stops counting beyond.
  func hasAtMost(_ limit: Int) -> Bool {
    var budget = limit
    spend(&budget)
    return budget >= 0
  }

  private func spend(_ budget: inout Int) {
    for term in terms {
      budget -= 1
      for factor in term.factors {
        if budget < 0 { return }
        switch factor {
        case .symbol: budget -= 1
        case .floordiv(let a, let b), .ceildiv(let a, let b), .mod(let a, let b), .min(let a, let b),
          .max(let a, let b):
          a.spend(&budget)
          b.spend(&budget)
        }
      }
    }
  }
}
