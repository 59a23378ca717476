import IR
import Support

extension ONNXMapping {
  static let contractions: [ONNXMapping] = [
    matMul, gemm, convolution, convTranspose, deformableConvolution, matMulInteger, convInteger, einsum, determinant,
    causalConvolution,
  ]

  static let determinant = ONNXMapping(["Det"], 11...newest, inputs: 1...1) { c throws(Diagnostic) in
    [try c.add(Determinant(), try c.input(0))]
  }
}
