import CommandLineKit
import Glibc
import IR
import Support

/// What must stay true of a graph while it is made smaller.
///
/// Code is compiled and run by processes of their own: one that crashes is a finding and not the end.
final class FailurePredicate {
  enum Failure: String, CaseIterable, Sendable {
    /// Compiled code gives other results than the definitions of the ops.
    case verify
    /// Compiling says "not supported" or fails by a bug of Martlet.
    case compile
    /// The compiled code crashes or ends with an error.
    case run
    /// The passes make a graph that means something else, or break down.
    case passes
  }

  enum Question {
    case builtIn(Failure)
    /// A command that gets the graph's path and ends with 0 while it fails. `{}` stands for the path, which else comes
    /// last.
    case command([String])
  }

  private let question: Question
  private let check: ResultCheck
  private let options: CompileOptions
  /// What `compile` and `run` are told as well.
  private let words: [String]
  private let scratch: ScratchFolder
  /// How the whole graph fails; a smaller one that fails otherwise is no finding.
  private var signature: String?

  /// A trial that takes longer counts as one that does not fail.
  static let patience = 300

  init(_ question: Question, _ options: CompileOptions, _ arguments: Arguments) throws(Diagnostic) {
    self.question = question
    self.options = options
    check = ResultCheck(arguments)
    scratch = try ScratchFolder()
    var words = ["--target", options.target]
    if let threads = options.maximumThreads { words += ["--threads", "\(threads)"] }
    if let fuel = options.fuel { words += ["--fuel", "\(fuel)"] }
    if options.from != .imported { words += ["--from", options.from.rawValue] }
    if options.verifiesEachPass { words += ["--verify", "each"] }
    // Nobody asks for these artifacts again.
    self.words = words + ["--cache-dir", "\(scratch.path)/cache"]
  }

  /// Whether inputs matter, so that they have to be known for every candidate.
  var needsInputs: Bool {
    switch question {
    case .builtIn(.compile), .command: false
    case .builtIn: true
    }
  }

  /// Whether the candidate still fails in the way the first one did.
  func holds(_ candidate: ReductionCandidate) throws(Diagnostic) -> Bool {
    switch question {
    case .command(let command): return try answer(of: command, for: candidate)
    case .builtIn(.passes): return passesFail(candidate)
    case .builtIn(.compile):
      let path = try write(candidate)
      return isSame(try martlet(["compile", path, "-o", "\(scratch.path)/candidate.so"] + words), least: 3)
    case .builtIn(.run):
      guard let outcome = try run(candidate, outputs: nil) else { return false }
      return isSame(outcome, least: 1)
    case .builtIn(.verify): return try resultsDiffer(candidate)
    }
  }

  // MARK: Questions

  private func answer(of command: [String], for candidate: ReductionCandidate) throws(Diagnostic) -> Bool {
    let path = try write(candidate)
    var words = command.map { $0.replacing("{}", with: path) }
    if words == command { words.append(path) }
    return try Subprocess.run("timeout", ["\(FailurePredicate.patience)"] + words).status == 0
  }

  private func passesFail(_ candidate: ReductionCandidate) -> Bool {
    guard let inputs = candidate.inputs, let expected = candidate.expected(inputs) else { return false }
    let found: String
    do throws(Diagnostic) {
      let (module, _) = try ResultCheck.optimised(candidate.module, options, fuel: options.fuel)
      let results = try Evaluator(module).run(candidate.entry, inputs.map { .tensor($0) })
      if check.isRight(results, expected) { return false }
      found = "wrong"
    } catch {
      found = FailurePredicate.kernel(of: "\(error)")
    }
    return matches(found)
  }

  private func resultsDiffer(_ candidate: ReductionCandidate) throws(Diagnostic) -> Bool {
    guard let inputs = candidate.inputs, let expected = candidate.expected(inputs) else { return false }
    let folder = "\(scratch.path)/out"
    guard let outcome = try run(candidate, outputs: folder), outcome.status == 0 else { return false }
    let list = try JSON.parse(MappedFile(path: "\(folder)/outputs.json").view.bytes, file: "outputs.json").array ?? []
    guard list.count == expected.count else { return false }
    var results: [Value] = []
    for (output, wanted) in zip(list, expected) {
      guard let file = output["file"]?.string, let element = wanted.tensor?.element else { return false }
      results.append(.tensor(try TensorFiles.read("\(folder)/\(file)", as: element)))
    }
    return !check.isRight(results, expected)
  }

  // MARK: Processes

  private func write(_ candidate: ReductionCandidate) throws(Diagnostic) -> String {
    let path = "\(scratch.path)/candidate.mir"
    try ModuleWriter.write(candidate.module, to: path)
    return path
  }

  private func martlet(_ words: [String]) throws(Diagnostic) -> Subprocess.Outcome {
    try Subprocess.run("timeout", ["\(FailurePredicate.patience)", "/proc/\(getpid())/exe"] + words)
  }

  /// Nil where the inputs are not known.
  private func run(_ candidate: ReductionCandidate, outputs: String?) throws(Diagnostic) -> Subprocess.Outcome? {
    guard let inputs = candidate.inputs else { return nil }
    let path = try write(candidate)
    let named = Array(zip(candidate.inputNames, inputs)).map { (name: $0, tensor: $1) }
    let files = try TensorFiles.save(named, to: "\(scratch.path)/in", list: "inputs.json")
    var line = ["run", path, "--entry", candidate.entry]
    for (name, file) in files { line += ["--input", "\(name)=\(file)"] }
    if let outputs { line += ["--output-dir", outputs] }
    return try martlet(line + words)
  }

  private func isSame(_ outcome: Subprocess.Outcome, least: Int32) -> Bool {
    // 124 is what `timeout` says, 2 is a command line that does not fit the candidate.
    guard outcome.status >= least, outcome.status != 2, outcome.status != 124 else { return false }
    return matches("\(outcome.status) \(FailurePredicate.kernel(of: outcome.errors))")
  }

  private func matches(_ found: String) -> Bool {
    guard let signature else {
      self.signature = found
      return true
    }
    return signature == found
  }

  /// What of a message stays the same while a graph shrinks: no numbers, no command line, no file.
  static func kernel(of message: String) -> String {
    var line = message.split(separator: "\n").last.map(String.init) ?? ""
    if let end = line.firstRange(of: "; this is a bug in Martlet") { line = String(line[..<end.lowerBound]) }
    if let file = line.firstRange(of: "candidate.mir") { line = String(line[file.upperBound...]) }
    return String(line.filter { !$0.isNumber })
  }
}
