import Formats
import Frontends
import IR
import Support

/// A model file as a module, whatever its format.
public enum ModelLoader {
  public static func load(_ path: String, shapes: [String: [Int]] = [:]) throws(Diagnostic) -> (Module, notes: [String])
  {
    switch Paths.suffix(path) {
    case "mir":
      let text = try MappedFile(path: path).view
      let module = try ModuleParser.parse(bytes: text.bytes, file: path, weights: WeightsBeside(path))
      return (try freeze(module, shapes), [])
    case "onnx":
      return try ONNXFrontend.read(
        try ONNXModel.read(path: path), file: path, options: ImportOptions(shapes: shapes))
    case "tflite", "gguf":
      throw .unsupported("\(Paths.suffix(path)) models cannot be read yet", at: Location(file: path))
    default:
      throw .usage("\(path) is no model", hint: "a model ends in .onnx or .mir")
    }
  }

  /// A hash of the file, for the artifact and for keys.
  static func hash(_ path: String) throws(Diagnostic) -> String { "\(ContentHash.of(try MappedFile(path: path).view))" }

  /// Replaces the symbols that the given shapes settle.
  private static func freeze(_ module: Module, _ shapes: [String: [Int]]) throws(Diagnostic) -> Module {
    guard !shapes.isEmpty else { return module }
    return try module.frozen(to: shapes)
  }
}

/// Large weights of a .mir file lie in a container beside it.
struct WeightsBeside: WeightSource {
  private let path: String

  init(_ model: String) { path = Paths.replacingExtension(of: model, with: "weights") }

  func weight(named name: String, type: TensorType) throws(Diagnostic) -> Tensor? {
    guard Paths.exists(path) else { return nil }
    let file = try WeightsFile.read(path: path)
    guard let entry = file.entry(name), let shape = type.constantShape else { return nil }
    return try Tensor(element: type.element, shape: shape, layout: type.layout, bytes: try file.data(entry))
  }
}
