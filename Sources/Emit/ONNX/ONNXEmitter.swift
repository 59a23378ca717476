import Formats
import IR
import Support

/// From a graph to an ONNX model: the way back from what the frontends of every format build.
///
/// Image ops have channels last in the graph and first in the format, so each is written with transposes around
/// it; those that meet are not written. The pass `channels-first` lets most of them meet.
public enum ONNXEmitter {
  /// The operator set that files are written in, and the version of the format that has it.
  public static let operatorSet = 26
  public static let formatVersion = 13

  /// The model of a module's one entry. Weights are views of the module's, not copies.
  public static func model(of module: Module, producer: String, version: String) throws(Diagnostic) -> ONNXModel {
    let entries = module.entries
    guard entries.count == 1, let entry = entries.first else {
      throw .unsupported(
        "a model of ONNX has one entry, this one has \(entries.count): \(entries.map(\.name).joined(separator: ", "))")
    }
    if let state = module.states.first {
      throw .unsupported("a model of ONNX has no state; this one keeps @\(state.name)")
    }
    let writer = ONNXGraphWriter(module, entry)
    try writer.run()
    var model = ONNXModel()
    model.irVersion = formatVersion
    model.producerName = producer
    model.producerVersion = version
    model.operatorSets = [ONNXOperatorSet("", operatorSet)]
    model.graph = try ONNXTidying(writer).graph()
    return model
  }
}

/// Which ops the format can say, for the table of `martlet ops --coverage`.
public enum ONNXEmissionCoverage {
  public static func isWritten(_ kind: any OpKind.Type) -> Bool { kind is any ONNXEmission.Type }
}
