extension ONNXMapping {
  static let quantizations: [ONNXMapping] = [
    quantizeLinear, dequantizeLinear, dynamicQuantizeLinear, qLinearMatMul, qLinearConv,
  ]
}
