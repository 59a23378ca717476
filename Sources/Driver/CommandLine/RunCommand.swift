import CommandLineKit
import Glibc
import IR
import Support

/// `martlet run`: one run of a model or an artifact.
enum RunCommand {
  static let command = Command(.run) { (arguments: Arguments) throws(Diagnostic) in
    let path = arguments.positionals[0]
    let seed = arguments[RunKeys.random].map { UInt64($0) }
    let sources = try InputSources(arguments, seed: seed)
    let kind = try RunnableKind.of(path)
    if arguments[RunKeys.reference] {
      guard kind == .model else { throw .usage("--reference needs a model, not an artifact") }
      try reference(path, sources, arguments)
      return .success
    }
    if kind == .executable { return try ArtifactProgram.run("run", path, arguments) }
    let prepared = try prepare(path, kind, sources, arguments)
    let artifact = try LoadedArtifact(path: prepared.path, name: arguments[CompileKeys.name])
    let number = try pickEntry(arguments[RunKeys.entry], among: artifact.entries)
    let entry = artifact.entries[number]
    let inputs = try sources.make(for: number, of: artifact.entries)
    try saveInputs(entry, inputs, arguments)
    let context = try ArtifactContext(artifact, threads: arguments[CompileKeys.threads] ?? 0)
    let results = try context.run(entry: number, inputs)
    try finish(zip(entry.outputs, results).map { ($0.name, $1) }, arguments)
    return .success
  }

  /// A model is compiled for the shapes its inputs have.
  static func prepare(_ path: String, _ kind: RunnableKind, _ sources: InputSources, _ arguments: Arguments)
    throws(Diagnostic) -> PreparedArtifact
  {
    guard kind == .model else { return PreparedArtifact(library: path) }
    var options = try CompileOptions(arguments)
    // A program's shapes are settled; what it leaves open, a run tells.
    options.shapes = try ProgramFile.isOne(path) ? [:] : sources.knownShapes(entry: arguments[RunKeys.entry])
    return try PreparedArtifact(model: path, options, arguments, given: sources.files)
  }

  private static func reference(_ path: String, _ sources: InputSources, _ arguments: Arguments) throws(Diagnostic) {
    let (module, notes, _) = try ModelLoader.load(path, shapes: sources.shapes)
    for note in notes { StandardError.line("martlet: note: \(note)") }
    try Verifier.verify(module)
    let entries = module.entries.map { EntrySignature($0, of: module) }
    let number = try pickEntry(arguments[RunKeys.entry], among: entries)
    let entry = entries[number]
    let inputs = try sources.make(for: number, of: entries)
    try saveInputs(entry, inputs, arguments)
    let results = try Evaluator(module).run(entry.name, inputs)
    try finish(Array(zip(entry.outputs.map(\.name), results)), arguments)
  }

  private static func saveInputs(_ entry: EntrySignature, _ inputs: [Value], _ arguments: Arguments)
    throws(Diagnostic)
  {
    guard let folder = arguments[RunKeys.saveInputs] else { return }
    let parts = try TensorFiles.parts(zip(entry.inputs, inputs).map { ($0.name, $1) })
    try TensorFiles.save(parts, to: folder, list: "inputs.json")
  }

  private static func finish(_ outputs: [(name: String, value: Value)], _ arguments: Arguments) throws(Diagnostic) {
    if let folder = arguments[RunKeys.outputDir] {
      try TensorFiles.save(try TensorFiles.parts(outputs), to: folder, list: "outputs.json")
    }
    OutputSummary.print(outputs)
  }
}

/// An emitted executable, which understands run's and bench's options itself.
enum ArtifactProgram {
  static func run(_ command: String, _ path: String, _ arguments: Arguments) throws(Diagnostic) -> ExitStatus {
    var words = [command]
    for text in arguments[RunKeys.input] { words += ["--input", text] }
    for text in arguments[CompileKeys.shape] { words += ["--shape", text] }
    if let entry = arguments[RunKeys.entry] { words += ["--entry", entry] }
    if let threads = arguments[CompileKeys.threads] { words += ["--threads", "\(threads)"] }
    if command == "run" {
      if let seed = arguments[RunKeys.random] { words += ["--random", "\(seed)"] }
      if let folder = arguments[RunKeys.outputDir] { words += ["--output-dir", folder] }
      if let folder = arguments[RunKeys.saveInputs] { words += ["--save-inputs", folder] }
    } else {
      if let seconds = arguments[RunKeys.seconds] { words += ["--seconds", "\(seconds)"] }
      if arguments[RunKeys.json] { words.append("--json") }
    }
    let program = path.contains("/") ? path : "./" + path
    return ExitStatus(rawValue: try Subprocess.run(program, words, inherit: true).status)
  }
}
