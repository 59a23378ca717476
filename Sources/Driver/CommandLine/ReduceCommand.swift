import CommandLineKit
import IR
import Support

/// `martlet reduce`: the smallest graph that still fails.
enum ReduceCommand {
  static let fails = OptionKey<FailurePredicate.Failure?>.choice(
    "fails", "HOW", "what the graph must keep doing, where no COMMAND says it")
  static let limit = OptionKey<Double?>.decimal("limit", "S", default: "600", "stop after so many seconds")
  static let trials = OptionKey<Int?>.integer("trials", "N", 1...Int.max, "stop after so many trials")

  static let command = Command(.reduce) { (arguments: Arguments) throws(Diagnostic) in
    let path = arguments.positionals[0]
    guard try RunnableKind.of(path) == .model else { throw .usage("reduce needs a model, not an artifact") }
    let output = arguments[CompileKeys.output]
    guard Paths.suffix(output) == "mir" else {
      throw .usage("\(output): reduce writes a graph", hint: "end it in .mir")
    }
    try Paths.checkWritable(output)
    let sources = try InputSources(arguments, seed: UInt64(arguments[RunKeys.random] ?? 0))
    var options = try CompileOptions(arguments)
    options.shapes = try sources.knownShapes(entry: arguments[RunKeys.entry])
    let predicate = try FailurePredicate(try question(arguments), options, arguments)
    let (module, notes, _) = try ModelLoader.load(path, shapes: options.shapes)
    for note in notes { StandardError.line("martlet: note: \(note)") }
    try Verifier.verify(module)
    let signatures = module.entries.map { EntrySignature($0, of: module) }
    let number = try pickEntry(arguments[RunKeys.entry], among: signatures)
    var start = ReductionCandidate(module: module, entry: signatures[number].name, inputs: nil)
    // Without a use for them, inputs would only have to be given.
    if predicate.needsInputs || arguments.has(RunKeys.input) || arguments.has(RunKeys.saveInputs) {
      start.inputs = try sources.makeTensors(for: number, of: signatures)
    }
    let reduction = Reduction(
      start, predicate, trials: arguments[trials] ?? 100_000, seconds: arguments[limit] ?? 600)
    guard try reduction.run() else {
      throw .invalid("\(path) does not fail: there is nothing to reduce")
    }
    try finish(start, reduction, output, arguments)
    return .success
  }

  private static func question(_ arguments: Arguments) throws(Diagnostic) -> FailurePredicate.Question {
    let command = Array(arguments.positionals.dropFirst())
    switch (arguments[fails], command.isEmpty) {
    case (let failure?, true): return .builtIn(failure)
    case (nil, false):
      guard Subprocess.find(command[0]) != nil else { throw .usage("there is no program \(command[0])") }
      return .command(command)
    case (nil, true):
      throw .usage("what fails is missing", hint: "give --fails verify, compile, run or passes, or a command behind --")
    default: throw .usage("--fails and a command exclude each other")
    }
  }

  private static func finish(
    _ start: ReductionCandidate, _ reduction: Reduction, _ output: String, _ arguments: Arguments
  ) throws(Diagnostic) {
    let small = reduction.current
    try ModuleWriter.write(small.module, to: output)
    if let folder = arguments[RunKeys.saveInputs] {
      guard let inputs = small.inputs else { throw .invalid("the inputs of the small graph are not known") }
      let named = zip(small.inputNames, inputs).map { (name: $0, tensor: $1) }
      try TensorFiles.save(named, to: folder, list: "inputs.json")
    }
    if arguments[RunKeys.json] {
      func sizes(_ candidate: ReductionCandidate) -> JSON {
        .object([
          JSON.Member("ops", .int(candidate.opCount)), JSON.Member("inputs", .int(candidate.arguments.count)),
          JSON.Member("outputs", .int(candidate.resultCount)),
        ])
      }
      StandardOutput.json(
        .object([
          JSON.Member("before", sizes(start)), JSON.Member("after", sizes(small)),
          JSON.Member("trials", .int(reduction.trials)), JSON.Member("complete", .bool(reduction.isComplete)),
        ]))
      return
    }
    func words(_ before: Int, _ after: Int, _ what: String) -> String { "\(before) \(what) to \(after)" }
    let parts = [
      words(start.opCount, small.opCount, "ops"), words(start.arguments.count, small.arguments.count, "inputs"),
      words(start.resultCount, small.resultCount, "outputs"),
    ]
    let more = reduction.isComplete ? "" : "; the limit came first, more may be possible"
    StandardOutput.line(
      oneLine("\(output): \(parts.joined(separator: ", ")) in \(reduction.trials) trials\(more)"))
  }
}
