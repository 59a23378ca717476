import CommandLineKit
import IR
import Passes
import Support

/// `martlet bisect`: the rewrite after which a result is wrong, or the word that code generation is at fault.
enum BisectCommand {
  static let command = Command(.bisect) { (arguments: Arguments) throws(Diagnostic) in
    let path = arguments.positionals[0]
    guard try RunnableKind.of(path) == .model else { throw .usage("bisect needs a model, not an artifact") }
    let search = try Bisection(path, arguments)
    return try search.run()
  }
}

private struct Bisection {
  private let module: Module
  private let entry: EntrySignature
  private let number: Int
  private let inputs: [Value]
  private let expected: [Value]
  private let options: CompileOptions
  private let check: ResultCheck

  init(_ path: String, _ arguments: Arguments) throws(Diagnostic) {
    check = ResultCheck(arguments)
    let sources = try InputSources(arguments, seed: UInt64(arguments[RunKeys.random] ?? 0))
    var options = try CompileOptions(arguments)
    options.shapes = try sources.knownShapes(entry: arguments[RunKeys.entry])
    module = try ModelLoader.load(path, shapes: options.shapes).0
    try Verifier.verify(module)
    self.options = options
    let signatures = module.entries.map { [module] in EntrySignature($0, of: module) }
    number = try pickEntry(arguments[RunKeys.entry], among: signatures)
    entry = signatures[number]
    inputs = try sources.make(for: number, of: signatures)
    expected = try Evaluator(module).run(entry.name, inputs)
  }

  func run() throws(Diagnostic) -> ExitStatus {
    // The graph alone first: what is wrong there needs no machine code to show.
    switch try Bisect.firstWrong({ (fuel: Int?) throws(Diagnostic) in try evaluated(fuel) }) {
    case .found(let rewrite):
      StandardOutput.line(oneLine("the graph is wrong after \(rewrite)"))
      return .checkFailed
    case .alwaysWrong: throw .bug("an untouched graph evaluates to something else")
    case .alwaysRight: break
    }
    switch try Bisect.firstWrong({ (fuel: Int?) throws(Diagnostic) in try compiled(fuel) }) {
    case .alwaysRight:
      StandardOutput.line("the result is right: there is nothing to find")
      return .success
    case .found(let rewrite):
      StandardOutput.line(
        oneLine("the graph passes are right, but the code for what they make is wrong after \(rewrite)"))
    case .alwaysWrong:
      StandardOutput.line("code generation is wrong even for the graph that no pass touched")
    }
    let ops = try OpComparison(
      module, entry: entry.name, number: number, inputs, options, rtol: check.rtol, atol: check.atol)
    if let first = ops.firstWrong {
      StandardOutput.line(oneLine("the first op with a wrong result is \(first.mnemonic) at \(first.site)"))
    } else {
      StandardOutput.line("each op by itself is right")
    }
    return .checkFailed
  }

  private func evaluated(_ fuel: Int?) throws(Diagnostic) -> Bisect.Trial {
    let (module, report) = try ResultCheck.optimised(module, options, fuel: fuel)
    let results = try Evaluator(module).run(entry.name, inputs)
    return Bisect.Trial(isRight: check.isRight(results, expected), report: report)
  }

  private func compiled(_ fuel: Int?) throws(Diagnostic) -> Bisect.Trial {
    let (module, report) = try ResultCheck.optimised(module, options, fuel: fuel)
    var options = options
    options.from = .fused
    let results = try CompiledRun.results(module, entry: number, inputs, options)
    return Bisect.Trial(isRight: check.isRight(results, expected), report: report)
  }
}
