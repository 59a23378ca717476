import Codegen
import CommandLineKit
import LLVMBackend
import Passes
import Support
import Targets

/// `martlet compile`: a model into an artifact, or into the text of one of its phases.
enum CompileCommand {
  static let command = Command(.compile) { (arguments: Arguments) throws(Diagnostic) in
    let input = arguments.positionals[0]
    let output = arguments[CompileKeys.output]
    let last = try phase(arguments[CompileKeys.to])
    let emit = try kind(arguments[CompileKeys.emit], last, output)
    let options = try CompileOptions(arguments)
    if let kind = ArtifactKind(rawValue: emit.rawValue) {
      return try build(kind, input, options, to: output, arguments)
    }
    var compilation = try Compilation(input, options)
    for note in compilation.notes { StandardError.line("martlet: note: \(note)") }
    switch emit {
    case .graph:
      guard compilation.phase <= .fused else { throw .usage("\(input) is a program, which leads to no graph") }
      try compilation.optimise(to: last ?? .fused)
      try ModuleWriter.write(compilation.module, to: output)
    case .loops: try compilation.writeProgram(to: output, sourceHash: try ModelLoader.hash(input))
    case .llvm, .asm:
      let program = try compilation.schedule()
      let backend = try LLVMBackend(MachineOptions(compilation.profile))
      let texts = try backend.compileAll(program.kernels, to: emit == .llvm ? .llvm : .assembly)
      try AtomicFile.write(Array(texts.joined(separator: Array("\n".utf8))), to: output)
    case .shared, .static, .object, .executable: throw .bug("artifacts are built elsewhere")
    }
    report(compilation, arguments)
    return .success
  }

  /// Builds an artifact, or copies it from the cache when nothing has changed since it was built.
  private static func build(
    _ kind: ArtifactKind, _ input: String, _ options: CompileOptions, to output: String, _ arguments: Arguments
  ) throws(Diagnostic) -> ExitStatus {
    let name = prefix(arguments[CompileKeys.name] ?? Paths.stem(output), kind)
    try Paths.checkWritable(output)
    let profile = try Profile.named(options.target)
    var store: (ArtifactStore, key: String)?
    if let folder = CacheFolder(options.cacheFolder) {
      let artifacts = ArtifactStore(folder: folder)
      let key = try artifacts.key(input, options, profile, kind: kind, name: name, output: output)
      if !options.wantsToWatch, try artifacts.fetch(key, to: output) { return .success }
      store = (artifacts, key)
    }
    var compilation = try Compilation(input, options)
    for note in compilation.notes { StandardError.line("martlet: note: \(note)") }
    let bar = CompileProgress()
    try compilation.build(kind, name: name, sourceHash: try ModelLoader.hash(input), to: output) { _, total in
      bar.advance(of: total)
    }
    bar.finish()
    if let (artifacts, key) = store {
      artifacts.keep(key, from: output, parts: compilation.companions, sources: compilation.sources)
    }
    report(compilation, arguments)
    return .success
  }

  /// What to write: as --emit says, else as the suffix does, else what `last` leads to.
  private static func kind(
    _ given: CompileKeys.Emit?, _ last: Phase?, _ output: String
  ) throws(Diagnostic) -> CompileKeys.Emit {
    guard let last else {
      if let given { return given }
      return try emitted(by: output)
    }
    let kinds = emitted(behind: last)
    let kind = given ?? suffixes[Paths.suffix(output)] ?? kinds[0]
    guard kinds.contains(kind) else {
      throw .usage(
        "--to \(last.rawValue) does not lead to \(given == nil ? output : "--emit \(kind.rawValue)")",
        hint: "it leads to \(kinds.map(\.rawValue).joined(separator: ", "))")
    }
    return kind
  }

  /// What may be written when `phase` is the last.
  private static func emitted(behind phase: Phase) -> [CompileKeys.Emit] {
    switch phase {
    case .imported, .canonical, .quantized, .fused: [.graph]
    case .scheduled, .loops: [.loops]
    case .llvm: [.llvm]
    case .object: [.object, .asm]
    case .artifact: [.executable, .shared, .static, .object]
    }
  }

  private static let suffixes: [String: CompileKeys.Emit] = [
    "so": .shared, "dylib": .shared, "a": .static, "o": .object, "mir": .graph, ProgramFile.suffix: .loops, "ll": .llvm,
    "s": .asm,
  ]

  /// The kind that a file's suffix stands for.
  static func emitted(by output: String) throws(Diagnostic) -> CompileKeys.Emit {
    let suffix = Paths.suffix(output)
    if suffix.isEmpty { return .executable }
    guard let kind = suffixes[suffix] else {
      let isModel = ["onnx", "tflite", "gguf"].contains(suffix)
      throw .usage(
        isModel ? "\(output) is a model file" : "the suffix of \(output) does not say what to write",
        hint: isModel ? "`martlet convert` writes those" : "say it by --emit")
    }
    return kind
  }

  /// The artifact's name: what C calls it.
  static func prefix(_ name: String, _ kind: ArtifactKind) -> String {
    var candidate = name
    if kind != .executable, candidate.hasPrefix("lib") { candidate = String(candidate.dropFirst(3)) }
    return CSyntax.artifactName(candidate)
  }

  static func phase(_ name: String?) throws(Diagnostic) -> Phase? {
    guard let name else { return nil }
    guard let phase = Phase(rawValue: name) else {
      throw .usage("there is no phase \(name)", hint: choiceHint(for: name, among: Phase.allCases.map(\.rawValue)))
    }
    return phase
  }

  /// What was asked to be said about the way there.
  static func report(_ compilation: Compilation, _ arguments: Arguments) {
    if arguments[CompileKeys.explain] {
      for explanation in compilation.report.explanations { StandardError.line("\(explanation)") }
      for note in compilation.memoryNotes { StandardError.line(note) }
    }
    if arguments[CompileKeys.timePasses] {
      var table = Table(["pass", "ms", "rewrites"], numbers: ["ms", "rewrites"])
      for run in compilation.report.runs {
        table.add([run.pass, milliseconds(run.seconds), "\(run.rewrites)"])
      }
      for (phase, seconds) in compilation.seconds { table.add(["phase \(phase)", milliseconds(seconds), ""]) }
      table.print()
    }
  }

  private static func milliseconds(_ seconds: Double) -> String {
    let hundredths = Int((seconds * 100_000).rounded())
    let rest = hundredths % 100
    return "\(hundredths / 100).\(rest < 10 ? "0" : "")\(rest)"
  }
}

extension CompileOptions {
  /// As the command line says.
  init(_ arguments: Arguments) throws(Diagnostic) {
    self.init()
    target = arguments[CompileKeys.target]
    namesTarget = arguments.has(CompileKeys.target)
    for text in arguments[CompileKeys.shape] {
      let (name, shape) = try CompileOptions.shape(text)
      shapes[name] = shape
    }
    try CompileOptions.require(arguments[CompileKeys.precision], arguments[CompileKeys.numerics])
    guard !arguments[CompileKeys.debugInfo] else { throw .unsupported("--debug-info is not there yet") }
    maximumThreads = arguments[CompileKeys.threads]
    weightsInFile = arguments[CompileKeys.weights] == .file
    if arguments.has(CompileKeys.sysroot) { sysroot = arguments[CompileKeys.sysroot] }
    cacheFolder = arguments[CompileKeys.noCache] ? nil : arguments[CompileKeys.cacheDir] ?? CacheFolder.standard
    from = try CompileCommand.phase(arguments[CompileKeys.from]) ?? .imported
    guard from <= .loops else {
      throw .unsupported("--from \(from.rawValue): only what comes up to loops reads back")
    }
    fuel = arguments[CompileKeys.fuel]
    verifiesEachPass = arguments[CompileKeys.verify] == .each
    explains = arguments[CompileKeys.explain]
    printAfter = Set(arguments[CompileKeys.printAfter])
    for pass in printAfter where pass != "all" {
      let names = PassRegistry.all.map(\.name)
      guard names.contains(pass) else {
        throw .usage("there is no pass \(pass)", hint: choiceHint(for: pass, among: names))
      }
    }
    dump = arguments[CompileKeys.dump]
    html = arguments[CompileKeys.html]
    timesPasses = arguments[CompileKeys.timePasses]
    profiles = arguments[CompileKeys.profile]
  }

  /// `NAME=1x3x224x224`; a scalar is `NAME=`.
  static func shape(_ text: String) throws(Diagnostic) -> (String, [Int]) {
    guard let equals = text.lastIndex(of: "=") else {
      throw .usage("--shape \(text) has no shape", hint: "write it as NAME=1x3x224x224")
    }
    var shape: [Int] = []
    for part in text[text.index(after: equals)...].split(separator: "x", omittingEmptySubsequences: false)
    where !part.isEmpty {
      guard let extent = Int(part), extent >= 0 else {
        throw .usage("--shape \(text): \(part) is no extent", hint: "write it as NAME=1x3x224x224")
      }
      shape.append(extent)
    }
    return (String(text[..<equals]), shape)
  }
}
