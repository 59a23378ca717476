import IR
import Support

extension ONNXMapping {
  /// `Gemm`: `alpha A B + beta C`. With both factors 1, as nearly always, C is the bias of the product.
  static let gemm = ONNXMapping(
    ["Gemm"], 7...newest, inputs: 2...3, attributes: ["alpha", "beta", "transA", "transB"]
  ) { c throws(Diagnostic) in
    let (a, b) = (try c.input(0), try c.input(1))
    for matrix in [a, b] where try c.rank(matrix) != 2 {
      throw .invalid("an input is \(try c.type(matrix)), expected a matrix")
    }
    let (alpha, beta) = (try c.float("alpha", default: 1), try c.float("beta", default: 1))
    let (transposeLHS, transposeRHS) = (try c.flag("transA", default: false), try c.flag("transB", default: false))
    var addend = c.optionalInput(2)
    if let bias = addend, beta != 1 {
      addend = beta == 0 ? nil : try c.binary(.mul, bias, try c.number(beta, like: bias))
    }
    if alpha == 1 {
      return [try c.numberProduct(a, b, bias: addend, transposeLHS: transposeLHS, transposeRHS: transposeRHS)]
    }
    let product = try c.numberProduct(a, b, transposeLHS: transposeLHS, transposeRHS: transposeRHS)
    let scaled = try c.binary(.mul, product, try c.number(alpha, like: product))
    guard let addend else { return [scaled] }
    return [try c.binary(.add, scaled, addend)]
  }
}
