extension ONNXMapping {
  static let contractions: [ONNXMapping] = [matMul, gemm, convolution, matMulInteger, convInteger]
}
