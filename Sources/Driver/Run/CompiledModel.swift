import Codegen
import Support

/// A model compiled and loaded into this process.
public final class CompiledModel {
  private enum Code {
    /// Without files, as nothing is to be kept.
    case memory(MemoryArtifact)
    case file(LoadedArtifact, PreparedArtifact)
  }
  private let code: Code

  /// `options` is a JSON object as `CompileOptions` reads it, or empty.
  public init(_ path: String, options: String) throws(Diagnostic) {
    guard try RunnableKind.of(path) == .model else { throw .usage("\(path) is no model") }
    let options = try CompileOptions(json: options)
    if options.cacheFolder == nil, options.fitsMemory {
      var compilation = try Compilation(path, options)
      let name = CSyntax.artifactName(Paths.stem(path))
      code = .memory(try compilation.load(name: name, sourceHash: try ModelLoader.hash(path)))
    } else {
      let prepared = try PreparedArtifact(model: path, options)
      code = .file(try LoadedArtifact(path: prepared.path), prepared)
    }
  }

  /// The `const martlet_model *` of `martlet.h`.
  public var table: UnsafeRawPointer {
    switch code {
    case .memory(let artifact): artifact.model
    case .file(let artifact, _): UnsafeRawPointer(artifact.model)
    }
  }

  /// Unloads the code. Nothing of it may be in use, and `table` is gone.
  public func unload() {
    switch code {
    case .memory(let artifact): artifact.unload()
    case .file(let artifact, _): artifact.unload()
    }
  }

  /// Writes an artifact; the suffix of `output` says which kind.
  public static func compile(_ path: String, options: String, to output: String) throws(Diagnostic) {
    let options = try CompileOptions(json: options)
    guard let kind = try ArtifactKind(rawValue: CompileCommand.emitted(by: output).rawValue) else {
      throw .usage("\(output) is the name of no artifact", hint: "end it in .so, .a or .o, or not at all")
    }
    var compilation = try Compilation(path, options)
    let name = CompileCommand.prefix(options.name ?? Paths.stem(output), kind)
    try compilation.build(kind, name: name, sourceHash: try ModelLoader.hash(path), to: output)
  }
}

extension CompileOptions {
  /// Whether the artifact can be built in memory: weights in a file and counts of steps change the runtime itself, and
  /// code for another machine is for its emulator.
  fileprivate var fitsMemory: Bool { !weightsInFile && !profiles && target == "host" }
}
