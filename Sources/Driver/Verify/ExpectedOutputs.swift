import CommandLineKit
import Formats
import IR
import Support

/// What the outputs of an entry should be, and who says so.
struct ExpectedOutputs {
  /// By output name.
  var values: [String: Value]
  var source: String

  /// From a .npz file.
  init(archive path: String, for entry: EntrySignature) throws(Diagnostic) {
    source = path
    values = [:]
    let archive = try NumPyArchive.read(path: path)
    for name in archive.names where !entry.outputs.contains(where: { $0.owns(name) }) {
      throw .invalid(
        "entry \(entry.name) has no output \(name)", at: Location(file: path),
        hint: choiceHint(for: name, among: entry.outputs.map(\.name)))
    }
    for output in entry.outputs {
      if output.list != nil {
        values[output.name] = try InputSources.list(output) { name throws(Diagnostic) in
          try archive.array(name).map { array throws(Diagnostic) in .tensor(try ExpectedOutputs.plain(array)) }
        }
        continue
      }
      guard let array = try archive.array(output.name) else {
        throw .invalid("there is no array \(output.name)", at: Location(file: path))
      }
      values[output.name] = .tensor(try ExpectedOutputs.plain(array))
    }
  }

  /// From each op's definition.
  init(evaluating module: Module, _ entry: EntrySignature, _ inputs: [Value]) throws(Diagnostic) {
    source = "reference"
    values = [:]
    let results = try Evaluator(module).run(entry.name, inputs)
    for (output, result) in zip(entry.outputs, results) { values[output.name] = result }
  }

  /// From another engine.
  init(_ peer: PeerEngine, _ request: PeerRequest, for entry: EntrySignature) throws(Diagnostic) {
    source = peer.rawValue
    for port in entry.inputs { _ = try port.requireTensor("input") }
    for port in entry.outputs { _ = try port.requireTensor("output") }
    let files = try peer.run(request)["outputs"]
    values = [:]
    for name in entry.outputs.map(\.name) {
      guard let path = files?[name]?.string else { throw .invalid("\(peer.rawValue) gave no output \(name)") }
      values[name] = .tensor(try ExpectedOutputs.plain(try NumPyArray.read(path: path)))
    }
    for name in request.values {
      guard let path = files?[name]?.string else { continue }
      values[name] = .tensor(try ExpectedOutputs.plain(try NumPyArray.read(path: path)))
    }
  }

  private static func plain(_ array: NumPyArray) throws(Diagnostic) -> Tensor {
    if array.type == .string { return Tensor(strings: array.strings.map { Array($0.utf8) }, shape: array.dims) }
    // Copied, for the file may be gone before the tensor.
    return try Tensor(element: .plain(array.type), shape: array.dims, bytes: ByteView(copying: array.data.bytes))
  }
}
