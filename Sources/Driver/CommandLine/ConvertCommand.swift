import CommandLineKit
import Emit
import IR
import Passes
import Support

/// `martlet convert`: a model, optimised, as a file of a format again.
enum ConvertCommand {
  static let command = Command(.convert) { (arguments: Arguments) throws(Diagnostic) in
    let input = arguments.positionals[0]
    let output = arguments[CompileKeys.output]
    guard Paths.suffix(output) == "onnx" else {
      let isKnown = ["tflite", "gguf"].contains(Paths.suffix(output))
      if isKnown {
        throw .unsupported("\(Paths.suffix(output)) models cannot be written yet", at: Location(file: output))
      }
      throw .usage("the suffix of \(output) does not say what to write", hint: "it ends in .onnx")
    }
    let last = try CompileCommand.phase(arguments[CompileKeys.to]) ?? .canonical
    guard last == .imported || last == .canonical else {
      throw .usage("--to \(last.rawValue) does not lead to a model file", hint: "imported and canonical do")
    }
    try Paths.checkWritable(output)
    var compilation = try Compilation(input, try CompileOptions(arguments))
    for note in compilation.notes { StandardError.line("martlet: note: \(note)") }
    guard compilation.phase <= last else {
      throw .usage("\(input) is past the phase that models are written of", hint: "convert the model it was made of")
    }
    if last == .canonical { try compilation.optimiseForExport() }
    let model = try ONNXEmitter.model(of: compilation.module, producer: "martlet", version: martletVersion)
    if arguments[CompileKeys.weights] == .file || isTooLarge(compilation.module) {
      try model.writeWithExternalData(to: output)
    } else {
      try model.write(to: output)
    }
    CompileCommand.report(compilation, arguments)
    return .success
  }

  /// Whether one file cannot hold the weights: protocol buffers end at 2 GiB, of which the graph takes little.
  private static func isTooLarge(_ module: Module) -> Bool {
    module.weights.reduce(0) { $0 + $1.tensor.bytes.count } > 2040 << 20
  }
}
