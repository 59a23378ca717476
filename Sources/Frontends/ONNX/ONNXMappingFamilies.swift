extension ONNXMapping {
  static let families: [[ONNXMapping]] = [
    arithmetic, comparisons, activations, reductions, contractions, windows, normalizations, movements, shapes,
    conversions, quantizations, controls, sequences, randoms,
  ]
}
