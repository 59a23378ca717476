import CommandLineKit
import Formats
import IR
import Support

/// `martlet verify`: a compiled model's results against somebody else's.
enum VerifyCommand {
  static let command = Command(.verify) { (arguments: Arguments) throws(Diagnostic) in
    let path = arguments.positionals[0]
    guard try RunnableKind.of(path) == .model else { throw .usage("verify needs a model, not an artifact") }
    let expectedFile = arguments[RunKeys.expected]
    let against = arguments[RunKeys.against]
    guard expectedFile == nil || against == nil else { throw .usage("--expected and --against exclude each other") }
    if against == .onnxruntime { try PeerEngine.onnxruntime.check(path) }
    if against == .litert { throw .unsupported("verify --against litert is not there yet") }
    let check = try Verification(path, arguments)
    if arguments[RunKeys.perOp] {
      guard expectedFile == nil else { throw .usage("--per-op needs somebody who computes, see --against") }
      return try check.perOp(against ?? .reference)
    }
    return try check.outputs(expectedFile, against ?? .reference)
  }
}

private struct Verification {
  private let path: String
  private let arguments: Arguments
  private let options: CompileOptions
  private let module: Module
  private let entry: EntrySignature
  private let entryNumber: Int
  private let inputs: [Value]
  private let rtol: Double
  private let atol: Double?

  init(_ path: String, _ arguments: Arguments) throws(Diagnostic) {
    self.path = path
    self.arguments = arguments
    rtol = arguments[RunKeys.rtol] ?? 1e-4
    atol = arguments[RunKeys.atol]
    var options = try CompileOptions(arguments)
    let archive = try arguments[RunKeys.inputs].map { file throws(Diagnostic) in try NumPyArchive.read(path: file) }
    if let archive {
      for name in archive.names {
        options.shapes[InputSources.key(name, of: arguments[RunKeys.entry])] = try archive.array(name)?.dims
      }
    }
    self.options = options
    do throws(Diagnostic) { module = try ModelLoader.load(path, shapes: options.shapes).0 } catch {
      let file = arguments[RunKeys.inputs] ?? ""
      throw ShapeFault.placed(
        error, Dictionary((archive?.names ?? []).map { ($0, file) }, uniquingKeysWith: { a, _ in a }),
        entry: arguments[RunKeys.entry])
    }
    try Verifier.verify(module)
    let functions = module.entries
    let signatures = functions.map { [module] function in EntrySignature(function, of: module) }
    entryNumber = try pickEntry(arguments[RunKeys.entry], among: signatures)
    entry = signatures[entryNumber]
    var sources = InputSources()
    sources.seed = 0
    sources.shapes = archive == nil ? options.shapes : [:]
    if let archive {
      inputs = try Verification.inputs(archive, entry, arguments[RunKeys.inputs] ?? "")
    } else {
      inputs = try sources.make(for: entryNumber, of: signatures)
    }
  }

  private static func inputs(_ archive: NumPyArchive, _ entry: EntrySignature, _ file: String) throws(Diagnostic)
    -> [Value]
  {
    var result: [Value] = []
    for port in entry.inputs {
      if port.list != nil {
        let value = try InputSources.list(port) { name throws(Diagnostic) in
          guard let array = try archive.array(name) else { return nil }
          return .tensor(try TensorFiles.tensor(array, as: try port.innermost(), Location(file: file, path: name)))
        }
        result.append(value)
        continue
      }
      guard let array = try archive.array(port.name) else {
        throw .invalid("there is no array for input \(port.name)", at: Location(file: file))
      }
      result.append(
        .tensor(
          try TensorFiles.tensor(array, as: try port.requireTensor("input"), Location(file: file, path: port.name))))
    }
    return result
  }

  // MARK: Outputs

  func outputs(_ expectedFile: String?, _ against: RunKeys.Peer) throws(Diagnostic) -> ExitStatus {
    let prepared = try PreparedArtifact(model: path, options, arguments)
    let artifact = try LoadedArtifact(path: prepared.path)
    let context = try ArtifactContext(artifact, threads: arguments[CompileKeys.threads] ?? 0)
    let results = try context.run(entry: entryNumber, inputs)
    let expected: ExpectedOutputs
    if let expectedFile {
      expected = try ExpectedOutputs(archive: expectedFile, for: entry)
    } else {
      switch against {
      case .reference: expected = try ExpectedOutputs(evaluating: module, entry, inputs)
      case .onnxruntime:
        let scratch = try ScratchFolder()
        expected = try ExpectedOutputs(.onnxruntime, try request(in: scratch, threads: context.threads), for: entry)
      case .litert: throw .unsupported("verify --against litert is not there yet")
      }
    }
    var rows: [(name: String, comparison: Comparison)] = []
    for (output, result) in zip(entry.outputs, results) {
      guard let wanted = expected.values[output.name] else { continue }
      rows.append((output.name, Comparison(result, wanted, rtol: rtol, atol: atol)))
    }
    let isOK = rows.allSatisfy(\.comparison.isOK)
    if arguments[RunKeys.json] {
      StandardOutput.json(
        .object([
          JSON.Member("ok", .bool(isOK)),
          JSON.Member("outputs", .array(rows.map { $0.comparison.json("name", $0.name) })),
        ]))
    } else {
      var table = Table(
        ["output", "max abs", "max rel", "SQNR dB", ""], numbers: ["max abs", "max rel", "SQNR dB"])
      for (name, comparison) in rows { table.add([name] + comparison.cells) }
      table.print()
      StandardOutput.line("\(isOK ? "agrees" : "does not agree") with \(expected.source)")
    }
    return isOK ? .success : .checkFailed
  }

  /// The same inputs for another engine.
  private func request(in scratch: ScratchFolder, threads: Int) throws(Diagnostic) -> PeerRequest {
    PeerRequest(
      model: path,
      inputs: try TensorFiles.save(
        try TensorFiles.parts(zip(entry.inputs, inputs).map { ($0.name, $1) }), to: "\(scratch.path)/in",
        list: "inputs.json"),
      threads: threads, folder: "\(scratch.path)/out")
  }

  // MARK: Ops

  func perOp(_ against: RunKeys.Peer) throws(Diagnostic) -> ExitStatus {
    let ops: OpComparison
    switch against {
    case .reference:
      ops = try OpComparison(
        module, entry: entry.name, number: entryNumber, inputs, options, rtol: rtol, atol: atol)
    case .onnxruntime:
      let scratch = try ScratchFolder()
      ops = try OpComparison(
        module, entry, number: entryNumber, inputs, options, .onnxruntime, try request(in: scratch, threads: 1),
        rtol: rtol, atol: atol)
    case .litert: throw .unsupported("verify --against litert is not there yet")
    }
    let rows = ops.rows
    let first = ops.firstWrong
    if arguments[RunKeys.json] {
      StandardOutput.json(
        .object([
          JSON.Member("ok", .bool(first == nil)),
          JSON.Member("first", first.map { .string($0.site) } ?? .null),
          JSON.Member("ops", .array(rows.map { $0.comparison.json("name", $0.site) })),
        ]))
    } else {
      var table = Table(
        ["op", "site", "max abs", "max rel", "SQNR dB", ""], numbers: ["max abs", "max rel", "SQNR dB"])
      for row in rows { table.add([row.mnemonic, row.site] + row.comparison.cells) }
      table.print()
      if let first {
        StandardOutput.line(oneLine("the first op that does not agree is \(first.mnemonic) at \(first.site)"))
      } else {
        StandardOutput.line("every op agrees with \(against.rawValue)")
      }
    }
    return first == nil ? .success : .checkFailed
  }
}

extension Comparison {
  fileprivate var cells: [String] {
    [
      Comparison.short(maximumAbsolute), Comparison.short(maximumRelative), Comparison.short(signalToError),
      isOK ? "ok" : mismatch ?? "too far",
    ]
  }

  /// Infinities are null, as the language has none.
  fileprivate func json(_ key: String, _ name: String) -> JSON {
    .object([
      JSON.Member(key, .string(name)), JSON.Member("max_abs", .number(maximumAbsolute)),
      JSON.Member("max_rel", .number(maximumRelative)), JSON.Member("sqnr_db", .number(signalToError)),
      JSON.Member("ok", .bool(isOK)),
    ])
  }
}
