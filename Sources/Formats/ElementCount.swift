/// The product of `dims`, or nil where one is negative or the product overflows. The extents
/// beside a zero must be countable as well, for code multiplies them in any order.
func checkedElementCount(_ dims: [Int]) -> Int? {
  var count = 1
  var hasZero = false
  for dim in dims {
    guard dim >= 0 else { return nil }
    if dim == 0 { hasZero = true }
    let (product, overflow) = count.multipliedReportingOverflow(by: max(dim, 1))
    guard !overflow else { return nil }
    count = product
  }
  return hasZero ? 0 : count
}
