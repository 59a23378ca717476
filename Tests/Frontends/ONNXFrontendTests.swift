import Formats
import Frontends
import IR
import Support
import Testing

/// What the importer does around the mappings: names, symbols, constants, order, errors.
struct ONNXFrontendTests {
  @Test func namesAreKept() throws {
    let (module, _) = try read(model([node("Relu", "in:0", "a b")], inputs: [("in:0", [2])], outputs: ["a b"]))
    let main = try #require(module.function("main"))
    #expect(main[main[main.body].arguments[0]].name == "in:0")
    #expect(main.resultNames == ["a b"])
    #expect(main[try #require(main.ops(in: main.body).last)].locations == ["onnx:/a b"])
  }

  @Test func namedExtentsBecomeSymbols() throws {
    var graph = model([node("Add", "x", "y", "z")], inputs: [("x", [0, 3]), ("y", [0, 3])], outputs: ["z"])
    for index in 0..<2 {
      graph.graph.inputs[index] = ONNXValueInfo(
        graph.graph.inputs[index].name, .f32, [ONNXDimension("batch.size"), ONNXDimension(3)])
    }
    let (module, _) = try read(graph)
    #expect(module.symbols.map(\.name) == ["batch_size"])
    #expect(try resultType(module) == TensorType(.f32, [.symbol("batch_size"), 3]))
    let (frozen, _) = try ONNXFrontend.read(graph, file: "m", options: ImportOptions(shapes: ["x": [4, 3]]))
    #expect(try resultType(frozen) == TensorType(.f32, [4, 3]))
    #expect(frozen.symbols.isEmpty)
  }

  @Test func wrongShapesAreUsageErrors() throws {
    let graph = model([node("Relu", "x", "y")], inputs: [("x", [2])], outputs: ["y"])
    for shapes in [["z": [2]], ["x": [3]], ["x": [2, 1]], ["x": [-2]]] {
      let error = try #require(throws: Diagnostic.self) {
        try ONNXFrontend.read(graph, file: "m", options: ImportOptions(shapes: shapes))
      }
      #expect(error.kind == .usage)
    }
  }

  @Test func smallIntegersBecomeConstantsAndTheRestWeights() throws {
    var graph = model(
      [node("Reshape", "w", "s", "r"), node("Add", "x", "r", "y")], inputs: [("x", [2, 3]), ("w", [6])],
      outputs: ["y"])
    graph.graph.initializers = [
      ONNXTensor("w", .f32, dims: [6], data: ByteView(count: 24) { _ in }),
      ONNXTensor("s", .i64, dims: [2], data: Tensor(.i64, [2], integers: [2, -1]).bytes),
    ]
    let (module, _) = try read(graph)
    let main = try #require(module.function("main"))
    #expect(module.weights.map(\.name) == ["w"])
    #expect(module.weight("w")?.tensor.bytes.base == graph.graph.initializers[0].rawData.base)
    #expect(main[main.body].arguments.count == 1)
    #expect(main.ops(in: main.body).map { main[$0].kind.mnemonic } == ["constant", "reshape", "add"])
  }

  @Test func nodesOutOfOrderAreSorted() throws {
    let (module, notes) = try read(
      model([node("Neg", "a", "y"), node("Relu", "x", "a")], inputs: [("x", [2])], outputs: ["y"]))
    #expect(notes.count == 1)
    let main = try #require(module.function("main"))
    #expect(main.ops(in: main.body).map { main[$0].kind.mnemonic } == ["relu", "neg"])
  }

  /// Every beginning of a small model, and every byte of it changed, is a graph or an error.
  @Test(arguments: ["attention_past.onnx", "batch_normalization.onnx"])
  func damagedModelsAreRefusedOrRead(_ name: String) throws {
    let path = String(#filePath.dropLast("ONNXFrontendTests.swift".count)) + "Cases/" + name
    let bytes = try MappedFile(path: path).view.bytes
    func tryOut(_ bytes: [UInt8]) {
      do throws(Diagnostic) {
        let model = try ONNXModel.decode(ByteView(copying: bytes), name: "damaged.onnx")
        let (module, _) = try ONNXFrontend.read(model, file: "damaged.onnx")
        try Verifier.verify(module)
      } catch {
        #expect(error.kind != .internal, "\(error)")
        #expect("\(error)".contains("damaged.onnx"), "\(error)")
      }
    }
    for length in 0..<bytes.count { tryOut(Array(bytes[..<length])) }
    for place in bytes.indices {
      for bit in 0..<8 {
        var changed = bytes
        changed[place] ^= 1 << UInt8(bit)
        tryOut(changed)
      }
    }
  }

  @Test func functionsThatGrowWithoutBoundAreRefused() throws {
    var graph = model(
      [ONNXNode("F0", domain: "f", inputs: ["x"], outputs: ["y"])], inputs: [("x", [2])], outputs: ["y"])
    graph.operatorSets.append(ONNXOperatorSet("f", 1))
    for number in 0..<60 {
      var function = ONNXFunction()
      function.name = "F\(number)"
      function.domain = "f"
      (function.inputs, function.outputs) = (["a"], ["b"])
      function.operatorSets = graph.operatorSets
      let next = "F\((number + 1) % 60)"
      function.nodes = [
        ONNXNode(next, domain: "f", inputs: ["a"], outputs: ["t"]),
        ONNXNode(next, domain: "f", inputs: ["t"], outputs: ["b"]),
      ]
      if number == 59 { function.nodes = [node("Relu", "a", "b")] }
      graph.functions.append(function)
    }
    let error = try #require(throws: Diagnostic.self) { try read(graph) }
    #expect(error.kind == .invalid && error.message.contains("grow beyond"), "\(error)")
  }

  @Test func brokenGraphsNameTheNode() {
    expectError("which nothing defines", [node("Relu", "q", "y")])
    expectError("cycle", [node("Add", "x", "b", "a"), node("Relu", "a", "b"), node("Relu", "a", "y")])
    expectError("two nodes define", [node("Relu", "x", "y"), node("Neg", "x", "y")])
    expectError("defined twice", [node("Relu", "x", "x"), node("Neg", "x", "y")])
    expectError("input 0 is missing", [node("Relu", "", "y")])
    expectError("has 1 inputs, expected 2", [node("Add", "x", "y")])
    expectError(
      "no attribute", [ONNXNode("Relu", inputs: ["x"], outputs: ["y"], attributes: [ONNXAttribute("a", int: 1)])])
    expectError(
      "is of kind float, expected int",
      [ONNXNode("Softmax", inputs: ["x"], outputs: ["y"], attributes: [ONNXAttribute("axis", float: 1)])])
    expectError("do not broadcast", [node("Add", "x", "k", "y")])
  }

  @Test func allUnsupportedOperatorsAreListed() throws {
    let error = try #require(throws: Diagnostic.self) {
      try read(
        model(
          [node("Bogus", "x", "a"), node("Bogus", "a", "b"), node("Unheard", "b", "y")], inputs: [("x", [2])],
          outputs: ["y"]))
    }
    #expect(error.kind == .unsupported)
    #expect(error.message.contains("2 operators"))
    #expect(error.message.contains("Bogus (opset 17, node \"a\"), Unheard (opset 17, node \"y\")"))
    #expect(error.location?.file == "model.onnx")
  }

  @Test func functionsOfTheModelAreInlined() throws {
    var function = ONNXFunction()
    function.name = "Twice"
    function.domain = "local"
    function.inputs = ["v", "unused"]
    function.outputs = ["r"]
    function.operatorSets = [ONNXOperatorSet("", 17)]
    function.attributes = ["slope"]
    var leaky = node("LeakyRelu", "v", "t")
    var alpha = ONNXAttribute("alpha", float: 0)
    alpha.reference = "slope"
    leaky.attributes = [alpha]
    function.nodes = [leaky, node("Add", "t", "t", "r")]
    let call = ONNXNode(
      "Twice", domain: "local", inputs: ["x"], outputs: ["y"], attributes: [ONNXAttribute("slope", float: 0.5)])
    var graph = model([call], inputs: [("x", [2])], outputs: ["y"])
    graph.functions = [function]
    graph.operatorSets.append(ONNXOperatorSet("local", 1))
    let (module, _) = try read(graph)
    let result = try Evaluator(module).run("main", [.tensor(Tensor(.f32, [2], doubles: [-2, 3]))])
    #expect(result == [.tensor(Tensor(.f32, [2], doubles: [-2, 6]))])
  }

  @Test func conditionsThatFollowFromShapesPickTheirBranch() throws {
    var branches: [ONNXAttribute] = []
    for (name, operation) in [("then_branch", "Neg"), ("else_branch", "Bitwise")] {
      var graph = ONNXGraph()
      graph.nodes = [node(operation == "Neg" ? "Neg" : "Not", "x", name)]
      graph.outputs = [ONNXValueInfo(name, .f32, nil)]
      branches.append(ONNXAttribute(name, graph: graph))
    }
    let nodes = [
      node("Size", "x", "n"), node("Equal", "n", "n", "c"),
      ONNXNode("If", inputs: ["c"], outputs: ["y"], attributes: branches),
    ]
    // The branch that is not taken would not even be typed: `Not` takes no floats.
    let (module, _) = try read(model(nodes, inputs: [("x", [2])], outputs: ["y"]))
    let main = try #require(module.function("main"))
    #expect(main.allOps().allSatisfy { main[$0].kind.mnemonic != "if" })
  }

  /// Definitions of operators that no mapping covers; README tells users.
  @Test func whatIsNotReadIsKnown() {
    let missing = ONNXCoverage.rows.filter { !$0.missing.isEmpty }.map(\.name)
    let maps = ["ai.onnx.ml.CastMap", "ai.onnx.ml.DictVectorizer"]
    #expect(missing == ["ImageDecoder"] + maps + ["ai.onnx.preview.training.Gradient"])
  }

  @Test func mapsOfScoresBecomeTheScores() throws {
    let labeled = ONNXNode("ZipMap", domain: "ai.onnx.ml", inputs: ["x"], outputs: ["y"])
    var graph = model([labeled], inputs: [("x", [2, 3])], outputs: ["y"])
    graph.operatorSets.append(ONNXOperatorSet("ai.onnx.ml", 3))
    let (module, notes) = try read(graph)
    #expect(try resultType(module) == TensorType(.f32, [2, 3]))
    #expect(notes.count == 1)
    graph.graph.nodes.append(node("Relu", "y", "z"))
    let error = #expect(throws: Diagnostic.self) { try read(graph) }
    #expect(error?.kind == .unsupported)
  }

  // MARK: Making models

  private func node(_ kind: String, _ names: String...) -> ONNXNode {
    ONNXNode(kind, inputs: Array(names.dropLast()), outputs: [names.last ?? ""])
  }

  private func model(_ nodes: [ONNXNode], inputs: [(String, [Int])], outputs: [String]) -> ONNXModel {
    var graph = ONNXGraph()
    graph.name = "test"
    graph.nodes = nodes
    graph.inputs = inputs.map { ONNXValueInfo($0.0, .f32, $0.1.map { ONNXDimension($0) }) }
    graph.outputs = outputs.map { name in
      var info = ONNXValueInfo()
      info.name = name
      return info
    }
    var model = ONNXModel()
    model.graph = graph
    model.operatorSets = [ONNXOperatorSet("", 17)]
    return model
  }

  @discardableResult
  private func read(_ model: ONNXModel) throws(Diagnostic) -> (Module, notes: [String]) {
    let result = try ONNXFrontend.read(model, file: "model.onnx")
    try Verifier.verify(result.0)
    return result
  }

  private func resultType(_ module: Module) throws -> TensorType {
    let main = try #require(module.function("main"))
    return try #require(main.tensorType(main[main.body].yields[0]))
  }

  private func expectError(_ text: String, _ nodes: [ONNXNode], line: SourceLocation = #_sourceLocation) {
    let error = #expect(throws: Diagnostic.self, sourceLocation: line) {
      try read(model(nodes, inputs: [("x", [2]), ("k", [3])], outputs: ["y"]))
    }
    #expect(error?.message.contains(text) == true, "\(error?.description ?? "")", sourceLocation: line)
    #expect(error?.kind == .invalid, sourceLocation: line)
    #expect(error?.location?.file == "model.onnx", sourceLocation: line)
    #expect(error?.location?.path?.contains("node \"") == true, sourceLocation: line)
  }
}
