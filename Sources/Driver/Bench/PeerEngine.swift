import CommandLineKit
import Support

/// Another engine that runs the same model, through its Python package.
enum PeerEngine: String, CaseIterable {
  case onnxruntime, openvino

  static func named(_ names: [String]) throws(Diagnostic) -> [PeerEngine] {
    var result: [PeerEngine] = []
    for name in names {
      guard let engine = PeerEngine(rawValue: name) else {
        throw .usage("there is no peer \(name)", hint: choiceHint(for: name, among: allCases.map(\.rawValue)))
      }
      result.append(engine)
    }
    return result
  }

  /// Refuses what cannot work before anything is compiled.
  func check(_ model: String) throws(Diagnostic) {
    guard Paths.suffix(model) == "onnx" else {
      throw .usage("\(rawValue) cannot read \(model)", hint: "it needs a .onnx file")
    }
    guard Subprocess.find("python3") != nil else {
      throw .invalid("there is no program python3, which runs \(rawValue)")
    }
  }

  /// Whether its package is there; nothing of it is loaded.
  var isInstalled: Bool {
    let question = "import importlib.util, sys; sys.exit(importlib.util.find_spec(sys.argv[1]) is None)"
    guard Subprocess.find("python3") != nil else { return false }
    return (try? Subprocess.run("python3", ["-c", question, rawValue]).status) == 0
  }

  /// Runs the model on the inputs; what comes out goes to files. Returns what the script prints.
  func run(_ request: PeerRequest) throws(Diagnostic) -> JSON {
    try check(request.model)
    try Paths.makeFolder(request.folder)
    // In a file, for the names of values may be more than a command line holds.
    let file = "\(request.folder)/request.json"
    try AtomicFile.write(Array(request.json(for: self).description.utf8), to: file)
    let outcome = try Subprocess.run("python3", ["-c", PeerWorker.script, file])
    guard outcome.status == 0 else {
      let reason = outcome.errors.split(separator: "\n").last.map(String.init) ?? "status \(outcome.status)"
      if outcome.status == PeerWorker.missing {
        throw .invalid("python3 cannot run \(rawValue): \(reason)", hint: "pip install \(rawValue) onnx")
      }
      throw .invalid("\(rawValue) failed: \(reason)")
    }
    return try JSON.parse(Array(outcome.output.utf8), file: "\(rawValue)'s answer")
  }
}

/// What another engine is asked to do.
struct PeerRequest {
  var model: String
  var inputs: [(name: String, path: String)]
  var threads: Int
  /// Where outputs go.
  var folder: String
  /// How long to measure.
  var seconds = 0.0
  /// False: as few of its own rewrites as it can do without.
  var optimises = true
  /// Values inside of the model that should come out as well.
  var values: [String] = []

  fileprivate func json(for engine: PeerEngine) -> JSON {
    .object([
      JSON.Member("engine", .string(engine.rawValue)), JSON.Member("model", .string(model)),
      JSON.Member("inputs", .object(inputs.map { JSON.Member($0.name, .string($0.path)) })),
      JSON.Member("threads", .int(threads)), JSON.Member("seconds", .number(seconds)),
      JSON.Member("outputs", .string(folder)), JSON.Member("optimises", .bool(optimises)),
      JSON.Member("values", .array(values.map { .string($0) })),
    ])
  }
}
