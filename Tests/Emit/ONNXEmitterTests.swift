import Emit
import Formats
import Frontends
import IR
import Passes
import Support
import TestGraphs
import TestSupport
import Testing

@Suite struct ONNXEmitterTests {
  private func module(_ text: String) throws -> Module {
    let module = try ModuleParser.parse(text, file: "test.mir")
    try Verifier.verify(module)
    return module
  }

  private func model(_ text: String) throws -> ONNXModel {
    try ONNXEmitter.model(of: try module(text), producer: "test", version: "1")
  }

  /// The model as the frontend reads it again.
  private func readBack(_ model: ONNXModel) throws -> Module {
    let file = ByteView(copying: model.encode())
    let (module, notes) = try ONNXFrontend.read(try ONNXModel.decode(file, name: "written"), file: "written")
    #expect(notes == [])
    try Verifier.verify(module)
    return module
  }

  private func operators(_ graph: ONNXGraph) -> [String] { graph.nodes.map(\.operatorType) }

  @Test func namesStay() throws {
    let model = try model(
      """
      module @named {
        symbol batch in 1...64
        weight @fc.w : f32[2, 2] = [1.0, 2.0, 3.0, 4.0]
        entry @main(%image: f32[batch, 2]) -> (%scores: f32[batch, 2]) {
          %0 = matmul %image, @fc.w : f32[batch, 2] loc "onnx:/fc/MatMul"
          %1 = relu %0 : f32[batch, 2] loc "onnx:/act/Relu"
          return %1
        }
      }
      """)
    #expect(model.graph.name == "named")
    #expect(model.graph.inputs.map(\.name) == ["image"])
    #expect(model.graph.outputs.map(\.name) == ["scores"])
    #expect(model.graph.initializers.map(\.name) == ["fc.w"])
    #expect(model.graph.nodes.map(\.name) == ["/fc/MatMul", "/act/Relu"])
    #expect(model.graph.inputs[0].type?.tensor?.shape?.dimensions.map(\.parameter) == ["batch", nil])
    #expect(model.operatorSetVersion() == ONNXEmitter.operatorSet)
  }

  @Test func transposesAroundImageOpsCancel() throws {
    let text = """
      module @images {
        weight @w : f32[4, 1, 1, 4] = [1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0]
        entry @main(%x: f32[1, 4, 8, 8]) -> (%y: f32[1, 4, 8, 8]) {
          %0 = transpose %x {permutation = [0, 2, 3, 1]} : f32[1, 8, 8, 4]
          %1 = conv %0, @w : f32[1, 8, 8, 4]
          %2 = relu %1 : f32[1, 8, 8, 4]
          %3 = conv %2, @w : f32[1, 8, 8, 4]
          %4 = add %3, %2 : f32[1, 8, 8, 4]
          %5 = max_pool %4 {window = [1, 1]} : f32[1, 8, 8, 4]
          %6 = transpose %5 {permutation = [0, 3, 1, 2]} : f32[1, 4, 8, 8]
          return %6
        }
      }
      """
    var optimised = try module(text)
    _ = try PassManager().run(Pipeline.exportSteps.map(\.pass), on: &optimised)
    let model = try ONNXEmitter.model(of: optimised, producer: "test", version: "1")
    #expect(operators(model.graph) == ["Conv", "Relu", "Conv", "Add", "MaxPool"])
  }

  @Test func weightsAreNotCopied() throws {
    let bytes = ByteView(copying: [UInt8](repeating: 1, count: 1 << 16))
    var builder = GraphBuilder(module: Module(name: "large"), function: Function(name: "main"))
    builder.module.add(
      Weight(name: "w", tensor: try Tensor(element: .plain(.f32), shape: [128, 128], bytes: bytes)))
    let x = builder.argument("x", ValueFact(.f32, [1, 128]))
    let weight = try builder.weight("w")
    let y = try builder.add(MatMul(), x, weight)
    builder.function.setResults([("y", y)])
    let model = try ONNXEmitter.model(of: builder.finish(), producer: "test", version: "1")
    #expect(try model.graph.initializers[0].bytes().base == bytes.base)
  }

  @Test func extentsAreComputed() throws {
    // `n` follows from the second input by arithmetic alone.
    let model = try model(
      """
      module @open {
        symbol n in 1...64
        entry @main(%x: f32[2 * n + 1, 3], %z: f32[]) -> (%a: f32[n, 2], %b: i64[2]) {
          %0 = broadcast %z {shape = [n, 2]} : f32[n, 2]
          %1 = shape %x : i64[2]
          return %0, %1
        }
      }
      """)
    let module = try readBack(model)
    let inputs = [Tensor(.f32, [7, 3], doubles: Array(repeating: 0, count: 21)), Tensor.scalar(5.0)]
    let results = try Evaluator(module).run("main", inputs.map { .tensor($0) })
    #expect(results[0].tensor?.shape == [3, 2])
    #expect(results[1].tensor?.integers() == [7, 3])
  }

  @Test func resultsThatNothingComputesAreCopied() throws {
    let model = try model(
      """
      module @same {
        entry @main(%x: f32[2]) -> (%x: f32[2], %y: f32[2], %a: f32[2], %b: f32[2], %c: i64[1]) {
          %0 = neg %x : f32[2]
          %1 = constant {value = i64[1] [4]} : i64[1]
          return %x, %x, %0, %0, %1
        }
      }
      """)
    #expect(model.graph.outputs.map(\.name) == ["x", "y", "a", "b", "c"])
    #expect(operators(model.graph) == ["Neg", "Identity", "Identity", "Identity"])
    #expect(try Evaluator(try readBack(model)).run("main", [.tensor(Tensor(.f32, [2], doubles: [1, 2]))]).count == 5)
  }

  @Test func fusionsAreTakenApart() throws {
    let model = try model(
      """
      module @fused {
        entry @main(%x: f32[4, 8], %b: f32[8]) -> (%y: f32[4, 8]) {
          %0 = fusion %x, %b {role = map} body(%1: f32[4, 8], %2: f32[8]) {
            %3 = add %1, %2 : f32[4, 8]
            %4 = relu %3 : f32[4, 8]
            yield %4
          } : f32[4, 8]
          return %0
        }
      }
      """)
    #expect(operators(model.graph) == ["Add", "Relu"])
  }

  @Test(arguments: [
    ("state @s : f32[2] = zeros\n entry @main(%x: f32[2]) -> (%y: f32[2]) { return %x }", "has no state"),
    (
      "entry @a(%x: f32[2]) -> (%y: f32[2]) { return %x }\n entry @b(%x: f32[2]) -> (%y: f32[2]) { return %x }",
      "has one entry, this one has 2: a, b"
    ),
    (
      """
      entry @main(%x: q8_0[2, 32]) -> (%y: f32[2, 32]) {
        %0 = dequantize %x : f32[2, 32] loc "gguf:blk.0"
        return %0
      }
      """, "q8_0"
    ),
  ])
  func whatTheFormatCannotSayIsNamed(_ body: String, _ words: String) throws {
    let module = try module("module @m {\n\(body)\n}")
    do throws(Diagnostic) {
      _ = try ONNXEmitter.model(of: module, producer: "test", version: "1")
      Issue.record("written")
    } catch {
      #expect(error.kind == .unsupported)
      #expect("\(error)".contains(words), "\(error)")
    }
  }

  /// Random graphs mean the same when they have been written and read again.
  @Test func randomGraphsSurvive() throws {
    var (compared, narrowed) = (0, 0)
    for seed in UInt64(1)...2000 {
      var options = RandomGraph.Options()
      options.state = false
      options.packed = false
      options.jumps = false
      let graph = RandomGraph(seed: seed, options: options)
      let module = try graph.module()
      let inputs = graph.inputs()
      guard let expected = try? Evaluator(module).run("main", inputs) else { continue }
      do throws(Diagnostic) {
        let model = try ONNXEmitter.model(of: module, producer: "test", version: "1")
        let file = ByteView(copying: model.encode())
        let (again, _) = try ONNXFrontend.read(try ONNXModel.decode(file, name: "written"), file: "written")
        try Verifier.verify(again)
        guard let given = try? Evaluator(again).run("main", inputs) else {
          narrowed += 1
          continue
        }
        for (a, b) in zip(given, expected) {
          if let text = Self.difference(a, b) { Issue.record("seed \(seed): \(text)") }
        }
        compared += 1
      } catch {
        // Blocks and the like.
        if error.kind != .unsupported { Issue.record("seed \(seed): \(error)") }
      }
    }
    #expect(compared > 1000, "\(compared) graphs were compared")
    // What was a number may be a symbol when it is read again, and one that turns out to be 1 is not stretched.
    #expect(narrowed * 200 < compared, "\(narrowed) graphs take fewer inputs than before")
  }

  /// What is spelled out rounds a few times more: in units of the narrowest float of the graph, near the greatest.
  private static let tolerance = 0.02

  private static func difference(_ a: Value, _ b: Value) -> String? {
    switch (a, b) {
    case (.tensor(let a), .tensor(let b)):
      guard a.type == b.type else { return "\(a.type) is not \(b.type)" }
      guard a.isFloat else { return a.integers() == b.integers() ? nil : "\(a.integers()) is not \(b.integers())" }
      let greatest = b.doubles().reduce(1) { $1.isFinite ? max($0, abs($1)) : $0 }
      for (x, y) in zip(a.doubles(), b.doubles()) where x != y && !(x.isNaN && y.isNaN) {
        if !(abs(x - y) <= tolerance * greatest) { return "\(x) is not \(y)" }
      }
      return nil
    case (.sequence(let a), .sequence(let b)):
      guard a.count == b.count else { return "\(a.count) elements are not \(b.count)" }
      for (x, y) in zip(a, b) { if let text = difference(x, y) { return text } }
      return nil
    case (.optional(let a), .optional(let b)):
      if let a, let b { return difference(a, b) }
      return (a == nil) == (b == nil) ? nil : "one is absent"
    default: return "other kinds of values"
    }
  }
}
