import Emit
import Formats
import Frontends
import IR
import Support
import Testing

/// Every op as a model of ONNX that is read again: what it then means is what peers recorded.
@Suite struct WrittenModelTests {
  @Test(arguments: OracleCase.byOp.keys.sorted()) func readBackAgrees(_ op: String) throws {
    for item in OracleCase.byOp[op] ?? [] {
      let place = "\(item.body) on \(item.inputs.map(\.type))"
      do throws(Diagnostic) {
        guard let module = try? item.module(), let inputs = try? item.inputTensors(),
          let expected = try? item.expected()
        else {
          Issue.record("\(place): is no case")
          continue
        }
        let model: ONNXModel
        do throws(Diagnostic) { model = try ONNXEmitter.model(of: module, producer: "test", version: "1") } catch {
          // Blocks are what the format has no types for; trees stand behind the constants they are made of.
          let isUnwritten = Self.unwritten.contains { item.body.contains(" \($0) ") }
          #expect(error.kind == .unsupported && isUnwritten, "\(place): \(error)")
          continue
        }
        let file = ByteView(copying: model.encode())
        let (again, _) = try ONNXFrontend.read(try ONNXModel.decode(file, name: "written"), file: "written")
        try Verifier.verify(again)
        let given = try Evaluator(again).run("main", inputs.map { .tensor($0) })
        for (result, expected) in zip(given, expected) {
          guard let result = result.tensor else { continue }
          if let complaint = Self.agreement(item).complaint(result, expected) { Issue.record("\(place): \(complaint)") }
        }
      } catch {
        Issue.record("\(place): \(error)")
      }
    }
  }

  /// Ops of which the format has no words for some cases.
  private static let unwritten: Set<String> = ["dequantize", "gather", "trees"]

  /// What is spelled out rounds more often than what it spells: at most as a sum of f32 does.
  private static func agreement(_ item: OracleCase) -> Agreement {
    switch item.tolerance {
    case .bits, .exact, .resampled: item.tolerance
    case .rounded, .shares, .sums, .single: .single
    }
  }
}
