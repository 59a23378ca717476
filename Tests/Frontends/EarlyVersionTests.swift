import Formats
import Frontends
import IR
import Support
import Testing

/// Operator sets before 7, where attributes said how operands broadcast. No runtime at hand still takes them, so what
/// is expected is written out.
struct EarlyVersionTests {
  private static let x = Tensor(.f32, [1, 3, 2], doubles: [-1, 2, -3, 4, -5, 6])
  private static let list = Tensor(.f32, [3], doubles: [10, 20, 30])

  @Test func attributesSayWhichAxesOperandsShare() throws {
    let sum = node("Add", [ONNXAttribute("broadcast", int: 1), ONNXAttribute("axis", int: 1)])
    #expect(try run(sum, Self.list) == [9, 12, 17, 24, 25, 36])
    let last = node("Sub", [ONNXAttribute("broadcast", int: 1)])
    #expect(try run(last, Tensor(.f32, [2], doubles: [1, 2])) == [-2, 0, -4, 2, -6, 4])
    // Which inputs are overwritten nobody needs to know.
    let old = node("Mul", [ONNXAttribute("consumed_inputs", ints: [0, 0]), ONNXAttribute("broadcast", int: 1)])
    #expect(try run(old, Tensor(.f32, [], doubles: [2]), version: 1) == [-2, 4, -6, 8, -10, 12])
  }

  @Test func slopesBelongToChannels() throws {
    #expect(try run(node("PRelu", []), Self.list) == [-10, 2, -60, 4, -150, 6])
    #expect(try run(node("PRelu", []), Tensor(.f32, [1], doubles: [2])) == [-2, 2, -6, 4, -10, 6])
  }

  @Test func operandsThatDoNotFitAreRefused() throws {
    let beyond = node("Add", [ONNXAttribute("broadcast", int: 1), ONNXAttribute("axis", int: 2)])
    let error = #expect(throws: Diagnostic.self) { try run(beyond, Tensor(.f32, [2, 1], doubles: [1, 2])) }
    #expect(error?.kind == .invalid && error?.message.contains("does not fit") == true, "\(error?.message ?? "")")
    let training = ONNXNode(
      "BatchNormalization", inputs: ["x", "b", "b", "b", "b"], outputs: ["y"], attributes: [])
    let refusal = #expect(throws: Diagnostic.self) { try run(training, Self.list) }
    #expect(refusal?.kind == .unsupported)
  }

  private func node(_ kind: String, _ attributes: [ONNXAttribute]) -> ONNXNode {
    ONNXNode(kind, inputs: ["x", "b"], outputs: ["y"], attributes: attributes)
  }

  private func run(_ node: ONNXNode, _ b: Tensor, version: Int = 6) throws -> [Double] {
    var graph = ONNXGraph()
    graph.name = "test"
    graph.nodes = [node]
    graph.inputs = [("x", Self.x), ("b", b)].map { name, tensor in
      ONNXValueInfo(name, .f32, tensor.shape.map { ONNXDimension($0) })
    }
    var output = ONNXValueInfo()
    output.name = "y"
    graph.outputs = [output]
    var model = ONNXModel()
    model.graph = graph
    model.operatorSets = [ONNXOperatorSet("", version)]
    let (module, _) = try ONNXFrontend.read(model, file: "model.onnx")
    try Verifier.verify(module)
    let results = try Evaluator(module).run("main", [.tensor(Self.x), .tensor(b)])
    return try #require(results.first?.tensor).doubles()
  }
}
