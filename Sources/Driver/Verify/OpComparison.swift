import IR
import Support

/// The compiled result of every op of an entry against what it should be.
struct OpComparison {
  struct Row {
    /// The op's name in the source model, or its place.
    var site: String
    var mnemonic: String
    var comparison: Comparison
  }

  private(set) var rows: [Row] = []
  var firstWrong: Row? { rows.first { !$0.comparison.isOK } }

  /// Against what each op's definition says.
  init(
    _ module: Module, entry name: String, number: Int, _ inputs: [Value], _ options: CompileOptions, rtol: Double,
    atol: Double?
  ) throws(Diagnostic) {
    let observed = try ObservedModule(module, entry: name)
    let results = try CompiledRun.results(observed.module, entry: number, inputs, options)
    let wanted = try Evaluator(observed.module).run(name, inputs)
    let own = results.count - observed.probes.count
    for (number, probe) in observed.probes.enumerated() {
      add(probe, Comparison(results[own + number], wanted[own + number], rtol: rtol, atol: atol))
    }
  }

  /// Against another engine, which knows the results that the source model has a name for.
  init(
    _ module: Module, _ entry: EntrySignature, number: Int, _ inputs: [Value], _ options: CompileOptions,
    _ peer: PeerEngine, _ request: PeerRequest, rtol: Double, atol: Double?
  ) throws(Diagnostic) {
    let observed = try ObservedModule(module, entry: entry.name, named: true)
    var request = request
    request.values = observed.probes.compactMap(\.name)
    // Its rewrites would move roundings to other places than ours do.
    request.optimises = false
    let wanted = try ExpectedOutputs(peer, request, for: entry).values
    let results = try CompiledRun.results(observed.module, entry: number, inputs, options)
    let own = results.count - observed.probes.count
    // A function that is called twice has two values of one name.
    let counts = Dictionary(request.values.map { ($0, 1) }, uniquingKeysWith: +)
    for (number, probe) in observed.probes.enumerated() {
      guard let name = probe.name, counts[name] == 1, let value = wanted[name] else { continue }
      add(probe, Comparison(results[own + number], value, rtol: rtol, atol: atol))
    }
    guard !rows.isEmpty else { throw .invalid("\(peer.rawValue) knows none of the values by their names") }
  }

  private mutating func add(_ probe: ObservedModule.Probe, _ comparison: Comparison) {
    rows.append(Row(site: probe.site, mnemonic: probe.mnemonic, comparison: comparison))
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
