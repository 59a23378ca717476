import Codegen
import CommandLineKit
import Formats
import LLVMBackend
import Support
import Synchronization
import Targets

/// Where the files of a command line stand: to be compiled, to be loaded, or neither.
enum RunnableKind {
  case model, sharedLibrary, executable

  /// Objects and archives are refused: there is nothing in them that could run.
  static func of(_ path: String) throws(Diagnostic) -> RunnableKind {
    if ["onnx", "mir", "tflite", "gguf", ProgramFile.suffix].contains(Paths.suffix(path)) { return .model }
    let bytes = try MappedFile(path: path).view
    if bytes.slice(0, 8)?.bytes == Array("!<arch>\n".utf8) {
      throw .usage("\(path) is an archive, which cannot be run", hint: "compile with --emit shared or executable")
    }
    guard ELFImage.isELF(bytes) else {
      throw .usage("\(path) is neither a model nor an artifact", hint: "a model ends in .onnx or .mir")
    }
    switch try ELFImage(bytes, file: path).kind {
    case .object:
      throw .usage("\(path) is an object, which cannot be run", hint: "compile with --emit shared or executable")
    case .sharedLibrary: return .sharedLibrary
    case .executable: return .executable
    }
  }
}

/// A shared library that is ready to be loaded: given, found in the cache, or compiled just now.
struct PreparedArtifact {
  enum CacheUse: String { case hit, miss, off }

  var path: String
  var cache = CacheUse.off
  var compileSeconds: Double?
  /// The folder it lies in when nothing is kept; gone with this value.
  private var scratch: ScratchFolder?

  /// A library as it is.
  init(library path: String) { self.path = path }

  /// Compiles a model for this machine, or finds it in the cache. `given` are the files that shapes came from, for
  /// messages.
  init(
    model path: String, _ options: CompileOptions, _ arguments: Arguments? = nil, given: [String: String] = [:]
  ) throws(Diagnostic) {
    let clock = ContinuousClock()
    let start = clock.now
    (self.path, cache, scratch) = try PreparedArtifact.library(of: path, options, arguments, given)
    compileSeconds = (clock.now - start).inSeconds
  }

  private static func library(
    of model: String, _ options: CompileOptions, _ arguments: Arguments?, _ given: [String: String]
  ) throws(Diagnostic) -> (path: String, cache: CacheUse, scratch: ScratchFolder?) {
    let profile = try Profile.named(options.target)
    let name = CSyntax.artifactName(Paths.stem(model))
    var cache = CacheUse.off
    if let folder = CacheFolder(options.cacheFolder) {
      let store = ArtifactStore(folder: folder)
      let key = try store.key(model, options, profile, kind: .shared, name: name, output: "")
      let library = store.library(key)
      if library.isCurrent, !options.wantsToWatch { return (library.path, .hit, nil) }
      cache = .miss
      if folder.isWritable {
        let sources = try compile(model, name, options, arguments, given, to: library.path)
        try store.keepLibrary(key, sources: sources)
        return (library.path, cache, nil)
      }
    }
    let scratch = try ScratchFolder()
    let path = "\(scratch.path)/\(name).so"
    _ = try compile(model, name, options, arguments, given, to: path)
    return (path, cache, scratch)
  }

  private static func compile(
    _ path: String, _ name: String, _ options: CompileOptions, _ arguments: Arguments?, _ given: [String: String],
    to output: String
  ) throws(Diagnostic) -> [String] {
    do throws(Diagnostic) {
      var compilation = try Compilation(path, options)
      let hash = try ModelLoader.hash(path)
      guard let arguments else {
        // Inside somebody else's program, whose terminal is none of our business.
        try compilation.build(.shared, name: name, sourceHash: hash, to: output, header: false)
        return compilation.sources
      }
      for note in compilation.notes { StandardError.line("martlet: note: \(note)") }
      let bar = CompileProgress()
      try compilation.build(
        .shared, name: name, sourceHash: hash, to: output, header: false,
        progress: { _, total in bar.advance(of: total) })
      bar.finish()
      CompileCommand.report(compilation, arguments)
      return compilation.sources
    } catch {
      throw ShapeFault.placed(error, given, entry: arguments?[RunKeys.entry] ?? nil)
    }
  }
}

extension CompileOptions {
  /// Whether somebody asked to see how it is compiled, which a cached artifact cannot show.
  var wantsToWatch: Bool {
    explains || timesPasses || dump != nil || html != nil || !printAfter.isEmpty
  }
}

/// A line on the terminal while kernels compile.
final class CompileProgress: Sendable {
  private let bar = Mutex<Progress?>(nil)

  func advance(of total: Int) {
    bar.withLock { progress in
      if progress == nil { progress = Progress("compiling kernels", total: total) }
      progress?.advance()
    }
  }

  func finish() { bar.withLock { $0?.finish() } }
}
