import Foundation
import Formats
import Frontends
import IR
import Support
import Testing

/// The models under `Cases`, evaluated against what onnxruntime made of them (`make_cases.py`).
struct ONNXCaseTests {
  private static let folder: String = {
    let file: String = #filePath
    return String(file[..<(file.lastIndex(of: "/") ?? file.endIndex)]) + "/Cases"
  }()

  static let names: [String] = {
    let files = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    return files.filter { $0.hasSuffix(".onnx") }.map { String($0.dropLast(5)) }.sorted()
  }()

  /// onnxruntime accumulates in f32, `evaluate` in f64.
  private static let relativeTolerance = 1e-4
  private static let absoluteTolerance = 1e-5

  @Test func thereAreCases() { #expect(ONNXCaseTests.names.count >= 40) }

  @Test(arguments: names) func agreesWithTheReference(_ name: String) throws {
    let path = "\(ONNXCaseTests.folder)/\(name)"
    let (module, notes) = try ONNXFrontend.read(try ONNXModel.read(path: path + ".onnx"), file: "\(name).onnx")
    #expect(notes.isEmpty)
    try Verifier.verify(module)
    let main = try #require(module.function("main"))
    let archive = try NumPyArchive.read(path: path + ".npz")
    var inputs: [Value] = []
    for argument in main[main.body].arguments {
      inputs.append(.tensor(try tensor(archive, "in:\(main[argument].name ?? "")")))
    }
    let results = try Evaluator(module).run("main", inputs)
    for (label, result) in zip(main.resultNames, results) {
      try compare(try #require(result.tensor), try tensor(archive, "out:\(label)"), label)
    }
  }

  @Test(arguments: names) func printsAndReadsBack(_ name: String) throws {
    let model = try ONNXModel.read(path: "\(ONNXCaseTests.folder)/\(name).onnx")
    let (module, _) = try ONNXFrontend.read(model, file: "\(name).onnx")
    let text = module.text(inlineLimit: 1 << 20)
    let again = try ModuleParser.parse(text, file: "\(name).mir")
    #expect(again.text(inlineLimit: 1 << 20) == text)
  }

  private func tensor(_ archive: NumPyArchive, _ name: String) throws -> Tensor {
    let array = try #require(try archive.array(name))
    return try Tensor(element: .plain(array.type), shape: array.dims, bytes: array.data)
  }

  private func compare(_ actual: Tensor, _ expected: Tensor, _ label: String) throws {
    try #require(actual.shape == expected.shape, "\(label)")
    #expect(actual.storage == expected.storage, "\(label)")
    if !expected.isFloat {
      #expect(actual.integers() == expected.integers(), "\(label)")
      return
    }
    for (index, (a, b)) in zip(actual.doubles(), expected.doubles()).enumerated() {
      let bound = ONNXCaseTests.absoluteTolerance + ONNXCaseTests.relativeTolerance * abs(b)
      #expect(a == b || (a.isNaN && b.isNaN) || abs(a - b) <= bound, "\(label)[\(index)] is \(a), expected \(b)")
    }
  }
}
