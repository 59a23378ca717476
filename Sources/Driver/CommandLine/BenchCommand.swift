import CommandLineKit
import Formats
import IR
import Support
import Targets

/// `martlet bench`: how fast a model runs, measured in a process of its own, and how that compares.
enum BenchCommand {
  static let command = Command(.bench) { (arguments: Arguments) throws(Diagnostic) in
    let path = arguments.positionals[0]
    let kind = try RunnableKind.of(path)
    var peers = try PeerEngine.named(arguments[RunKeys.peers])
    if arguments[CompileKeys.profile] {
      guard kind != .executable else { throw .usage("--profile needs a model or a shared library") }
      guard peers.isEmpty else { throw .usage("--profile and --vs exclude each other") }
    }
    if kind == .executable {
      guard peers.isEmpty else { throw .usage("--vs needs a model, not an artifact") }
      return try ArtifactProgram.run("bench", path, arguments)
    }
    if !peers.isEmpty, kind != .model { throw .usage("--vs needs a model, not an artifact") }
    for peer in peers { try peer.check(path) }
    let bench = try Bench(path, kind, arguments)
    guard !peers.isEmpty else { return try bench.alone() }
    peers.removeAll { peer in
      let isMissing = !peer.isInstalled
      if isMissing { StandardError.line("martlet: skipped: \(peer.rawValue) is not installed") }
      return isMissing
    }
    return try bench.versus(peers)
  }
}

private struct Bench {
  let model: String
  let arguments: Arguments
  let prepared: PreparedArtifact
  let scratch: ScratchFolder
  let inputs: [(name: String, path: String)]
  let seconds: Double
  let name: String?
  private let worker: [String]
  private let shapes: [String: [Int]]
  private let entry: String

  init(_ path: String, _ kind: RunnableKind, _ arguments: Arguments) throws(Diagnostic) {
    model = path
    self.arguments = arguments
    seconds = arguments[RunKeys.seconds] ?? 2
    name = arguments[CompileKeys.name]
    let sources = try InputSources(arguments, seed: 0)
    prepared = try RunCommand.prepare(path, kind, sources, arguments)
    scratch = try ScratchFolder()
    let artifact = try LoadedArtifact(path: prepared.path, name: name)
    let number = try pickEntry(arguments[RunKeys.entry], among: artifact.entries)
    let signature = artifact.entries[number]
    entry = signature.name
    let values = try sources.make(for: number, of: artifact.entries)
    let tensors = try TensorFiles.parts(zip(signature.inputs, values).map { ($0.name, $1) })
    shapes = Dictionary(tensors.map { ($0.name, $0.tensor.shape) }, uniquingKeysWith: { a, _ in a })
    inputs = try TensorFiles.save(tensors, to: "\(scratch.path)/in", list: "inputs.json")

    var words = ["bench-worker", prepared.path, "--entry", signature.name]
    for (name, path) in inputs { words += ["--input", "\(name)=\(path)"] }
    for (port, value) in zip(signature.inputs, values) {
      if let word = InputSources.word(for: value) { words += ["--input", "\(port.name)=\(word)"] }
    }
    if let threads = arguments[CompileKeys.threads] { words += ["--threads", "\(threads)"] }
    if let name { words += ["--name", name] }
    if arguments[CompileKeys.profile] { words.append("--profile") }
    let profile = try Profile.named(Profile.hostName)
    for products in PeakKernel.Products.allCases {
      guard let peak = PeakKernel(products, on: profile) else { continue }
      words += ["--peak", "\(products.rawValue):\(peak.work):\(try peak.build(for: profile, in: scratch))"]
    }
    worker = words
  }

  /// One measurement in a process of its own.
  private func measure(seconds: Double, outputs: String? = nil) throws(Diagnostic) -> JSON {
    var words = worker + ["--seconds", "\(seconds)"]
    if let outputs { words += ["--output-dir", outputs] }
    let outcome = try Subprocess.run("/proc/self/exe", words)
    guard outcome.status == 0 else {
      let line = outcome.errors.split(separator: "\n").first.map(String.init) ?? "status \(outcome.status)"
      let prefix = "martlet: error: "
      let message = line.hasPrefix(prefix) ? String(line.dropFirst(prefix.count)) : line
      throw Diagnostic(Diagnostic.Kind(rawValue: outcome.status) ?? .internal, message)
    }
    return try JSON.parse(Array(outcome.output.utf8), file: "the measurement")
  }

  func alone() throws(Diagnostic) -> ExitStatus {
    let row = BenchRow(try measure(seconds: seconds), prepared)
    if arguments[RunKeys.json] { StandardOutput.json(row.json) } else { StandardOutput.write(row.text) }
    if let profile = row.profile, !arguments[RunKeys.json] { StandardOutput.write("\n" + ProfileTable(profile).text) }
    return .success
  }

  // MARK: Peers

  private static let rounds = 3
  /// Of the largest value. Engines add up in other orders; what differs by more is a mistake of one of them.
  private static let tolerance = 1e-3
  /// Of results in half floats, which engines round after different ops.
  private static let halfTolerance = 1e-2

  func versus(_ peers: [PeerEngine]) throws(Diagnostic) -> ExitStatus {
    let part = max(0.1, seconds / Double(Bench.rounds))
    var own: [JSON] = []
    var others: [PeerEngine: [JSON]] = [:]
    var skipped: [PeerEngine] = []
    // In turn, so that a disturbance meets all of them.
    for _ in 0..<Bench.rounds {
      own.append(try measure(seconds: part, outputs: "\(scratch.path)/martlet"))
      for peer in peers where !skipped.contains(peer) {
        do throws(Diagnostic) {
          others[peer, default: []].append(try peer.run(request(peer.rawValue, own[0], seconds: part)))
        } catch {
          skipped.append(peer)
          StandardError.line(oneLine("martlet: skipped: \(error.message)"))
        }
      }
    }
    var rows = [BenchRow(BenchRow.combined(own), prepared)]
    rows[0].engine = "martlet"
    rows[0].ratio = 1
    var agree = true
    var levels: Double?
    for peer in peers where !skipped.contains(peer) {
      guard let rounds = others[peer] else { continue }
      let answer = BenchRow.combined(rounds)
      var row = BenchRow(peer: peer, answer, like: rows[0])
      row.compare(with: rows[0])
      var difference = try compare(answer, spread: 0)
      if !difference.isOK, difference.mismatch == nil {
        if levels == nil { levels = try levelsOfOnnxruntime(threads: own[0]) }
        // Either may be as far from the truth, each to its own side.
        difference = try compare(answer, spread: 2 * (levels ?? 0))
      }
      row.difference = difference
      if !difference.isOK {
        agree = false
        StandardError.line(
          "martlet: error: the outputs of martlet and \(peer.rawValue) differ: "
            + (difference.mismatch ?? "by up to \(Comparison.short(difference.maximumAbsolute))"))
      }
      rows.append(row)
    }
    if arguments[RunKeys.json] {
      StandardOutput.json(.object([JSON.Member("rows", .array(rows.map(\.json)))]))
    } else {
      BenchRow.table(rows).print()
    }
    return agree ? .success : .checkFailed
  }

  private func request(_ folder: String, _ own: JSON, seconds: Double) -> PeerRequest {
    PeerRequest(
      model: model, inputs: inputs, threads: own["threads"]?.int ?? 1, folder: "\(scratch.path)/\(folder)",
      seconds: seconds)
  }

  /// How far onnxruntime with all of its rewrites is from itself without, as a share of the largest value: what a
  /// model with quantized values leaves open. Zero where it cannot tell.
  private func levelsOfOnnxruntime(threads own: JSON) throws(Diagnostic) -> Double {
    guard PeerEngine.onnxruntime.isInstalled else { return 0 }
    var request = request("plain", own, seconds: 0)
    request.optimises = false
    guard let plain = try? PeerEngine.onnxruntime.run(request)["outputs"] else { return 0 }
    request.optimises = true
    request.folder = "\(scratch.path)/quick"
    let quick = try PeerEngine.onnxruntime.run(request)["outputs"]
    var spread = 0.0
    for output in plain.members ?? [] {
      guard let first = output.value.string, let second = quick?[output.key]?.string else { continue }
      let (a, b) = (try Bench.tensor(first), try Bench.tensor(second))
      let scale = Bench.largest(b)
      if scale > 0 {
        spread = max(spread, Comparison(a, b, rtol: 0, atol: 0).maximumAbsolute / scale)
      }
    }
    return spread
  }

  /// The worst of all outputs; `spread` is tolerated on top.
  private func compare(_ answer: JSON, spread: Double) throws(Diagnostic) -> Comparison {
    let list = try JSON.parse(
      MappedFile(path: "\(scratch.path)/martlet/outputs.json").view.bytes, file: "outputs.json")
    var worst: Comparison?
    for output in list.array ?? [] {
      guard let name = output["name"]?.string, let file = output["file"]?.string,
        let other = answer["outputs"]?[name]?.string
      else { throw .invalid("the peer has no output \(output["name"]?.string ?? "?")") }
      let mine = try Bench.tensor("\(scratch.path)/martlet/\(file)")
      let theirs = try Bench.tensor(other)
      let isHalf = mine.storage == .f16 || mine.storage == .bf16
      let share = (isHalf ? Bench.halfTolerance : Bench.tolerance) + spread
      let result = Comparison(mine, theirs, rtol: Bench.tolerance, atol: share * Bench.largest(theirs))
      if worst == nil || !result.isOK || result.maximumAbsolute > worst?.maximumAbsolute ?? 0 { worst = result }
      if !result.isOK { break }
    }
    guard let worst else { throw .invalid("there is no output to compare") }
    return worst
  }

  private static func largest(_ tensor: Tensor) -> Double {
    tensor.doubles().lazy.filter(\.isFinite).map(\.magnitude).max() ?? 0
  }

  private static func tensor(_ path: String) throws(Diagnostic) -> Tensor {
    let array = try NumPyArray.read(path: path)
    return try Tensor(element: .plain(array.type), shape: array.dims, bytes: array.data)
  }
}
