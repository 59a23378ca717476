import IR
import Support

/// The compiled result of every op of an entry against what its definition says.
struct OpComparison {
  struct Row {
    /// The op's name in the source model, or its place.
    var site: String
    var mnemonic: String
    var comparison: Comparison
  }

  private(set) var rows: [Row] = []
  var firstWrong: Row? { rows.first { !$0.comparison.isOK } }

  init(
    _ module: Module, entry name: String, number: Int, _ inputs: [Value], _ options: CompileOptions, rtol: Double,
    atol: Double?
  ) throws(Diagnostic) {
    let observed = try ObservedModule(module, entry: name)
    let results = try CompiledRun.results(observed.module, entry: number, inputs, options)
    let wanted = try Evaluator(observed.module).run(name, inputs)
    let own = results.count - observed.probes.count
    for (number, probe) in observed.probes.enumerated() {
      rows.append(
        Row(
          site: probe.site, mnemonic: probe.mnemonic,
          comparison: Comparison(results[own + number], wanted[own + number], rtol: rtol, atol: atol)))
    }
  }
}

/// One run of a module that is compiled for nothing else.
enum CompiledRun {
  static func results(_ module: Module, entry: Int, _ inputs: [Value], _ options: CompileOptions)
    throws(Diagnostic) -> [Value]
  {
    let scratch = try ScratchFolder()
    var options = options
    // The module's shapes are settled already.
    options.shapes = [:]
    var compilation = try Compilation(module, options)
    let library = "\(scratch.path)/trial.so"
    try compilation.build(.shared, name: "trial", sourceHash: "", to: library, header: false)
    let context = try ArtifactContext(try LoadedArtifact(path: library), threads: options.maximumThreads ?? 0)
    return try context.run(entry: entry, inputs)
  }
}
