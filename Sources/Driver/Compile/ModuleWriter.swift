import Formats
import IR
import Support

/// A module as a `.mir` file, with the weights too large for the text in a container beside it.
enum ModuleWriter {
  static func write(_ module: Module, to path: String) throws(Diagnostic) {
    let printer = ModulePrinter(module)
    let weights = printer.externalWeights
    if !weights.isEmpty {
      let sizes = weights.map { $0.tensor.bytes.count }
      let (offsets, size) = try WeightsFile.offsets(for: sizes)
      var items: [WeightsFile.Item] = []
      for (weight, offset) in zip(weights, offsets) {
        items.append(
          WeightsFile.Item(
            weight.name, type: weight.type.description, WeightsPiece(offset: offset, weight.tensor.bytes)))
      }
      try WeightsFile.write(items, imageSize: size, to: Paths.replacingExtension(of: path, with: "weights"))
    }
    try AtomicFile.write(Array(printer.text.utf8), to: path)
  }
}
