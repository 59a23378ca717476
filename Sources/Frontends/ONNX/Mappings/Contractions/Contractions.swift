extension ONNXMapping {
  static let contractions: [ONNXMapping] = [
    matMul, gemm, convolution, convTranspose, deformableConvolution, matMulInteger, convInteger,
  ]
}
