import CommandLineKit
import Formats
import IR
import Support

/// What the outputs of an entry should be, and who says so.
struct ExpectedOutputs {
  /// By output name.
  var tensors: [String: Tensor]
  var source: String

  /// From a .npz file.
  init(archive path: String, for entry: EntrySignature) throws(Diagnostic) {
    source = path
    tensors = [:]
    let archive = try NumPyArchive.read(path: path)
    for name in archive.names where !entry.outputs.contains(where: { $0.name == name }) {
      throw .invalid(
        "entry \(entry.name) has no output \(name)", at: Location(file: path),
        hint: choiceHint(for: name, among: entry.outputs.map(\.name)))
    }
    for output in entry.outputs {
      guard let array = try archive.array(output.name) else {
        throw .invalid("there is no array \(output.name)", at: Location(file: path))
      }
      tensors[output.name] = try ExpectedOutputs.plain(array)
    }
  }

  /// From each op's definition.
  init(evaluating module: Module, _ entry: EntrySignature, _ inputs: [Tensor]) throws(Diagnostic) {
    source = "reference"
    tensors = [:]
    let results = try Evaluator(module).run(entry.name, inputs.map { .tensor($0) })
    for (output, result) in zip(entry.outputs, results) {
      guard let tensor = result.tensor else {
        throw .unsupported("output \(output.name): only tensors can be compared")
      }
      tensors[output.name] = tensor
    }
  }

  /// From another engine.
  init(_ peer: PeerEngine, _ request: PeerRequest, for entry: EntrySignature) throws(Diagnostic) {
    source = peer.rawValue
    let files = try peer.run(request)["outputs"]
    tensors = [:]
    for name in entry.outputs.map(\.name) {
      guard let path = files?[name]?.string else { throw .invalid("\(peer.rawValue) gave no output \(name)") }
      tensors[name] = try ExpectedOutputs.plain(try NumPyArray.read(path: path))
    }
    for name in request.values {
      guard let path = files?[name]?.string else { continue }
      tensors[name] = try ExpectedOutputs.plain(try NumPyArray.read(path: path))
    }
  }

  private static func plain(_ array: NumPyArray) throws(Diagnostic) -> Tensor {
    if array.type == .string { return Tensor(strings: array.strings.map { Array($0.utf8) }, shape: array.dims) }
    // Copied, for the file may be gone before the tensor.
    return try Tensor(element: .plain(array.type), shape: array.dims, bytes: ByteView(copying: array.data.bytes))
  }
}
