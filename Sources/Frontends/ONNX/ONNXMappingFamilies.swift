extension ONNXMapping {
  static let families: [[ONNXMapping]] = [
    arithmetic, earlyVersions, comparisons, activations, reductions, contractions, windows, normalizations, movements,
    shapes, conversions, images, indexings, orderings, attentions, recurrents, signals, randoms, quantizations,
    controls, sequences, optionals, strings, machineLearning, training, microsoft,
  ]
}
