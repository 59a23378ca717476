import Codegen
import Support

/// A model compiled and loaded into this process.
public final class CompiledModel {
  private let prepared: PreparedArtifact
  private let artifact: LoadedArtifact

  /// `options` is a JSON object as `CompileOptions` reads it, or empty.
  public init(_ path: String, options: String) throws(Diagnostic) {
    guard try RunnableKind.of(path) == .model else { throw .usage("\(path) is no model") }
    prepared = try PreparedArtifact(model: path, try CompileOptions(json: options))
    artifact = try LoadedArtifact(path: prepared.path)
  }

  /// The `const martlet_model *` of `martlet.h`.
  public var table: UnsafeRawPointer { UnsafeRawPointer(artifact.model) }

  /// Unloads the code. Nothing of it may be in use, and `table` is gone.
  public func unload() { artifact.unload() }

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
