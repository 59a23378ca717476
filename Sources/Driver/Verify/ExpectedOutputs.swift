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
  init(
    _ peer: PeerEngine, _ model: String, _ entry: EntrySignature, _ inputs: [Value], threads: Int
  ) throws(Diagnostic) {
    source = peer.rawValue
    values = [:]
    let scratch = try ScratchFolder()
    var tensors: [(name: String, tensor: Tensor)] = []
    for (port, value) in zip(entry.inputs, inputs) {
      _ = try port.requireTensor("input")
      tensors += try TensorFiles.parts(port.name, value)
    }
    for port in entry.outputs { _ = try port.requireTensor("output") }
    let files = try TensorFiles.save(
      tensors, to: "\(scratch.path)/in", list: "inputs.json")
    let answer = try peer.run(model, inputs: files, threads: threads, seconds: 0, outputs: "\(scratch.path)/out")
    for output in entry.outputs {
      guard let path = answer["outputs"]?[output.name]?.string else {
        throw .invalid("\(peer.rawValue) gave no output \(output.name)")
      }
      values[output.name] = .tensor(try ExpectedOutputs.plain(try NumPyArray.read(path: path)))
    }
  }

  private static func plain(_ array: NumPyArray) throws(Diagnostic) -> Tensor {
    if array.type == .string { return Tensor(strings: array.strings.map { Array($0.utf8) }, shape: array.dims) }
    // Copied, for the file may be gone before the tensor.
    return try Tensor(element: .plain(array.type), shape: array.dims, bytes: ByteView(copying: array.data.bytes))
  }
}
