extension ONNXMapping {
  static let families: [[ONNXMapping]] = [
    arithmetic, comparisons, activations, reductions, contractions, windows, normalizations, movements, shapes,
    conversions, indexings, orderings, quantizations, controls, sequences,
  ]
}
