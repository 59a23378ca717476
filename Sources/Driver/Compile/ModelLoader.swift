import Formats
import Frontends
import IR
import Support

/// A model file as a module, whatever its format.
public enum ModelLoader {
  /// `sources` are the files that were read besides `path`.
  public static func load(_ path: String, shapes: [String: [Int]] = [:]) throws(Diagnostic)
    -> (Module, notes: [String], sources: [String])
  {
    switch Paths.suffix(path) {
    case "mir":
      let text = try MappedFile(path: path).view
      let module = try ModuleParser.parse(bytes: text.bytes, file: path, weights: WeightsBeside(path))
      let weights = WeightsBeside(path).path
      return (try freeze(module, shapes), [], Paths.exists(weights) ? [weights] : [])
    case "onnx":
      let file = ModelFile(path: path)
      let model = try ONNXModel.decode(try MappedFile(path: path).view, file: file)
      let options = ImportOptions(shapes: try byInput(shapes, of: model))
      let (module, notes) = try ONNXFrontend.read(model, file: path, options: options)
      return (module, notes, file.siblings)
    case ProgramFile.suffix:
      throw .unsupported(
        "this is a program and no graph any more", at: Location(file: path), hint: "compile, run and bench take it")
    case "tflite", "gguf":
      throw .unsupported("\(Paths.suffix(path)) models cannot be read yet", at: Location(file: path))
    default:
      throw .usage("\(path) is no model", hint: "a model ends in .onnx or .mir, a program in .loops")
    }
  }

  /// A hash of the file, for the artifact and for keys.
  static func hash(_ path: String) throws(Diagnostic) -> String { "\(ContentHash.of(try MappedFile(path: path).view))" }

  /// The shapes by input alone, as the one entry of an ONNX model is `main`.
  private static func byInput(_ shapes: [String: [Int]], of model: ONNXModel) throws(Diagnostic) -> [String: [Int]] {
    guard !shapes.isEmpty else { return shapes }
    let inputs = model.graph.inputs.map(\.name)
    let given = InputShapes(shapes, entries: [("main", inputs)])
    try given.requireInputs()
    var result: [String: [Int]] = [:]
    for input in inputs { result[input] = given.shape(of: input, of: "main") }
    return result
  }

  /// Replaces the symbols that the given shapes settle.
  private static func freeze(_ module: Module, _ shapes: [String: [Int]]) throws(Diagnostic) -> Module {
    guard !shapes.isEmpty else { return module }
    return try module.frozen(to: shapes)
  }
}

/// Large weights of a .mir file lie in a container beside it.
struct WeightsBeside: WeightSource {
  let path: String

  init(_ model: String) { path = Paths.replacingExtension(of: model, with: "weights") }

  func weight(named name: String, type: TensorType) throws(Diagnostic) -> Tensor? {
    guard Paths.exists(path) else { return nil }
    let file = try WeightsFile.read(path: path)
    guard let entry = file.entry(name), let shape = type.constantShape else { return nil }
    return try Tensor(element: type.element, shape: shape, layout: type.layout, bytes: try file.data(entry))
  }
}
