import Codegen
import Formats
import Support

/// A scheduled program with its kernels as a `.loops` file, and its weights, packed as the kernels want them, in a
/// container beside it.
struct ProgramFile {
  static let suffix = "loops"

  var program: Program
  var origin: ProgramOrigin?
  /// The files that were read besides the text.
  var sources: [String] = []

  static func isOne(_ path: String) -> Bool { Paths.suffix(path) == suffix }

  static func read(_ path: String) throws(Diagnostic) -> ProgramFile {
    let bytes = try MappedFile(path: path).view.bytes
    let beside = ProgramWeights(beside: path)
    let result = try ProgramParser.parse(bytes, file: path) { name, _ throws(Diagnostic) in
      try beside.weight(name)
    }
    return ProgramFile(
      program: result.program.namingKernelsByContent(), origin: result.origin,
      sources: result.program.weights.isEmpty ? [] : [beside.path])
  }

  /// Writes the text, and the container unless there are no weights. The model was read from `sources`, which must not
  /// be written over.
  static func write(
    _ program: Program, _ origin: ProgramOrigin, to path: String, sources: [String]
  ) throws(Diagnostic) {
    try Paths.checkWritable(path)
    if !program.weights.isEmpty {
      let weights = Paths.replacingExtension(of: path, with: "weights")
      guard !sources.contains(where: { ArtifactStore.identity($0) == ArtifactStore.identity(weights) }) else {
        throw .usage(
          "the weights would overwrite \(weights), which the model is read from", hint: "choose another output")
      }
      try writeWeights(of: program, to: weights)
    }
    try AtomicFile.write(Array(program.text(origin: origin).utf8), to: path)
  }

  /// All weights as they lie in the artifact; returns the hash that stands for them.
  @discardableResult
  static func writeWeights(of program: Program, to path: String) throws(Diagnostic) -> UInt64 {
    let items = program.weights.map { weight in
      WeightsFile.Item(
        weight.name, type: "bytes",
        WeightsPiece(offset: weight.offset, size: weight.bytes) { sink throws(Diagnostic) in
          try weight.content().withBytes { bytes throws(Diagnostic) in try sink(bytes) }
        })
    }
    return try WeightsFile.write(items, imageSize: program.weightBytes, to: path)
  }
}

/// The weights beside a program's text, opened when the first one is asked for.
private final class ProgramWeights {
  let path: String
  private var file: WeightsFile?

  init(beside program: String) { path = Paths.replacingExtension(of: program, with: "weights") }

  func weight(_ name: String) throws(Diagnostic) -> ByteView {
    let file = try opened()
    guard let entry = file.entry(name) else { throw .invalid("there is no weight \"\(name)\" in \(path)") }
    try file.verify(entry)
    return try file.data(entry)
  }

  private func opened() throws(Diagnostic) -> WeightsFile {
    if let file { return file }
    guard Paths.exists(path) else { throw .invalid("the weights are not there: there is no \(path)") }
    let read = try WeightsFile.read(path: path)
    file = read
    return read
  }
}
