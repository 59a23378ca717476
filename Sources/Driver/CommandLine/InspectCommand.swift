import Codegen
import CommandLineKit
import Formats
import IR
import Support

/// `martlet inspect`: what a model or an artifact is.
enum InspectCommand {
  static let command = Command(.inspect) { (arguments: Arguments) throws(Diagnostic) in
    let path = arguments.positionals[0]
    if ["onnx", "mir", "tflite", "gguf", ProgramFile.suffix].contains(Paths.suffix(path)) {
      try model(path, arguments)
    } else {
      try artifact(path, arguments)
    }
    return .success
  }

  /// What `bench --profile --json` printed.
  private static func profile(_ path: String) throws(Diagnostic) -> JSON {
    let json = try JSON.parse(MappedFile(path: path).view.bytes, file: path)
    let profile = json["profile"] ?? json
    guard profile["steps"]?.array != nil else {
      throw .invalid(
        "it holds no profile", at: Location(file: path), hint: "`martlet bench --profile --json` prints one")
    }
    return profile
  }

  private static func model(_ path: String, _ arguments: Arguments) throws(Diagnostic) {
    var options = CompileOptions()
    options.target = arguments[CompileKeys.target]
    for text in arguments[CompileKeys.shape] {
      let (name, shape) = try CompileOptions.shape(text)
      options.shapes[name] = shape
    }
    let (module, notes, _) = try ModelLoader.load(path, shapes: options.shapes)
    for note in notes { StandardError.line("martlet: note: \(note)") }
    try Verifier.verify(module)
    let summary = ModelSummary(module, path: path)
    guard arguments[RunKeys.profileFile] == nil || arguments.has(RunKeys.htmlPage) else {
      throw .usage("--profile is for the page", hint: "give --html FILE as well")
    }
    if let file = arguments[RunKeys.htmlPage] {
      let plan = Result { () throws(Diagnostic) -> (program: Program, module: Module) in
        var compilation = try Compilation(module, options)
        let program = try compilation.schedule()
        return (program, compilation.module)
      }
      let profile = try arguments[RunKeys.profileFile].map { path throws(Diagnostic) in try InspectCommand.profile(path)
      }
      let page = ModelPage(summary: summary, plan: plan, profile: profile).render()
      try AtomicFile.write(Array(page.utf8), to: file)
    }
    if arguments[RunKeys.json] {
      StandardOutput.json(summary.json)
    } else {
      for line in summary.lines { StandardOutput.line(line) }
    }
  }

  private static func artifact(_ path: String, _ arguments: Arguments) throws(Diagnostic) {
    guard arguments[RunKeys.htmlPage] == nil else { throw .usage("--html describes models, not artifacts") }
    let models = try ArtifactMetadata.read(path)
    if arguments[RunKeys.json] {
      StandardOutput.json(models.count == 1 ? models[0] : .array(models))
      return
    }
    for model in models {
      func word(_ key: String) -> String { model[key]?.string ?? "?" }
      var lines = ["\(path): model \(word("name")), compiled by \(word("compiler")) for \(word("target"))"]
      lines.append("options \(word("options"))")
      lines.append("source hash \(word("source_hash"))")
      for entry in model["entries"]?.array ?? [] {
        lines.append("entry \(entry["name"]?.string ?? "?")")
        for (key, label) in [("inputs", "in   "), ("outputs", "out  ")] {
          for port in entry[key]?.array ?? [] {
            lines.append("  \(label)\(port["name"]?.string ?? "?"): \(port["type"]?.string ?? "?")")
          }
        }
      }
      let weights = Bytes.text(model["weights_bytes"]?.int ?? 0)
      let state = Bytes.text(model["state_bytes"]?.int ?? 0)
      lines.append("\(model["kernels"]?.int ?? 0) kernels, weights \(weights), state \(state)")
      for line in lines { StandardOutput.line(oneLine(line)) }
    }
  }
}
