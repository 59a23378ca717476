import Formats
import Support
import TestSupport
import Testing

@Suite struct ONNXRoundTrip {
  @Test(arguments: ["typed.onnx", "everything.onnx"])
  func writesTheBytesItRead(_ name: String) throws {
    let model = try ONNXModel.read(path: Samples.path(name))
    #expect(model.encode() == (try Samples.bytes(name)))
  }

  @Test func typedAndRawDataAgree() throws {
    let model = try ONNXModel.read(path: Samples.path("typed.onnx"))
    var compared = 0
    for typed in model.graph.initializers where typed.rawType != ONNXDataType.string.rawValue {
      guard let raw = model.graph.initializers.first(where: { $0.name == typed.name + "_raw" }) else { continue }
      #expect(!raw.rawData.isEmpty)
      #expect(try typed.bytes() == raw.bytes(), "\(typed.name)")
      compared += 1
    }
    #expect(compared == 20)
  }

  @Test func stringsKeepTheirBytes() throws {
    let model = try ONNXModel.read(path: Samples.path("typed.onnx"))
    let text = try #require(model.graph.initializers.first { $0.name == "text" })
    #expect(try text.strings().map(\.bytes) == [Array("first".utf8), [0xff, 1]])
    #expect(throws: Diagnostic.self) { try text.bytes() }
  }

  @Test func everyKindOfAttributeIsRead() throws {
    let model = try ONNXModel.read(path: Samples.path("everything.onnx"))
    let node = try #require(model.graph.nodes.first)
    #expect(node.inputs == ["x", "", "y"])
    #expect(node.domain == "test")
    #expect(node.attribute("float")?.float == 1.5)
    #expect(node.attribute("int")?.kind == .int)
    #expect(node.attribute("string")?.string == "text")
    #expect(node.attribute("ints")?.ints == [1, -2, 3])
    #expect(node.attribute("floats")?.floats == [1, -0.0])
    #expect(node.attribute("strings")?.strings == ["a", "b"])
    #expect(node.attribute("graph")?.graph?.nodes.first?.operatorType == "Add")
    #expect(try node.attribute("tensor")?.tensor?.bytes().bytes == [0, 0, 0x80, 0x3f])
    #expect(node.attribute("sparse")?.sparseTensor?.dims == [8])
    #expect(node.attribute("type")?.type?.tensor?.shape?.dimensions.last?.parameter == "n")
    #expect(model.functions.first?.attributeDefaults.first?.name == "beta")
    #expect(model.operatorSetVersion() == 20)
    #expect(model.operatorSetVersion(of: "test") == 1)
    #expect(model.metadata.first?.value == "value")
  }

  @Test func everyKindOfTypeIsRead() throws {
    let graph = try ONNXModel.read(path: Samples.path("everything.onnx")).graph
    let dims = graph.inputs[0].type?.tensor?.shape?.dimensions
    #expect(dims?.map(\.value) == [nil, 3, nil])
    #expect(dims?.map(\.parameter) == ["batch", nil, nil])
    #expect(graph.inputs[1].type?.tensor?.shape == nil)
    #expect(graph.outputs[0].type?.sequenceElement?.tensor?.elementType == .f32)
    #expect(graph.outputs[1].type?.optionalElement?.tensor?.shape?.dimensions.count == 0)
    #expect(graph.outputs[2].type?.map?.rawKeyType == ONNXDataType.int64.rawValue)
  }

  @Test func aModelMadeHereReadsBack() throws {
    var model = ONNXModel()
    model.irVersion = 10
    model.operatorSets = [ONNXOperatorSet("", 21)]
    model.graph.name = "made"
    model.graph.inputs = [ONNXValueInfo("x", .f32, [ONNXDimension("n"), ONNXDimension(4)])]
    model.graph.outputs = [ONNXValueInfo("y", .f32, nil)]
    model.graph.initializers = [
      ONNXTensor("w", .f32, dims: [4096], data: ByteView(copying: .init(repeating: 7, count: 16384)))
    ]
    let attributes = [ONNXAttribute("axis", int: 0), ONNXAttribute("mode", string: "linear")]
    model.graph.nodes = [ONNXNode("Op", inputs: ["x", "w"], outputs: ["y"], attributes: attributes)]

    let bytes = model.encode()
    let back = try ONNXModel.decode(ByteView(copying: bytes), name: "made")
    #expect(back.encode() == bytes)
    #expect(back.graph.nodes[0].attribute("axis")?.kind == .int)
    #expect(back.graph.nodes[0].attribute("mode")?.string == "linear")
    #expect(try back.graph.initializers[0].bytes().bytes == .init(repeating: 7, count: 16384))

    let folder = try TestFolder()
    try model.write(to: folder["m.onnx"])
    #expect(try MappedFile(path: folder["m.onnx"]).view.bytes == bytes)
  }

  @Test func tensorDataIsNotCopied() throws {
    let file = try MappedFile(path: Samples.path("typed.onnx"))
    let model = try ONNXModel.decode(file.view, name: "typed")
    let raw = try #require(model.graph.initializers.first { $0.name == "double_raw" }).bytes()
    let typed = try #require(model.graph.initializers.first { $0.name == "double" }).bytes()
    for view in [raw, typed] {
      #expect(view.base >= file.view.base && view.base + view.count <= file.view.base + file.count)
    }
  }

  @Test func everyElementTypeHasANumber() {
    for type in ElementType.allCases { #expect(ONNXDataType(type).elementType == type) }
  }

  @Test func weightsMoveOutAndIn() throws {
    let folder = try TestFolder()
    let large = ByteView(copying: (0..<100_000).map { UInt8(truncatingIfNeeded: $0 / 7) })
    var inner = ONNXGraph()
    inner.initializers = [ONNXTensor("inner", .u8, dims: [2000], data: large.slice(0, 2000) ?? .empty)]
    var model = ONNXModel()
    model.graph.initializers = [
      ONNXTensor("large", .u8, dims: [100_000], data: large),
      ONNXTensor("small", .u8, dims: [1], data: large.slice(9, 1) ?? .empty),
      ONNXTensor("text", strings: ["kept"], dims: []),
    ]
    model.graph.nodes = [
      ONNXNode("If", inputs: [], outputs: [], attributes: [ONNXAttribute("then_branch", graph: inner)])
    ]

    let path = folder["m.onnx"]
    try model.writeWithExternalData(to: path)
    let outside = try ONNXModel.read(path: path)
    #expect(outside.graph.initializers.map(\.isExternal) == [true, false, false])
    #expect(try MappedFile(path: path).count < 2000)
    #expect(try outside.graph.initializers[0].bytes() == large)
    #expect(try outside.graph.nodes[0].attributes[0].graph?.initializers[0].bytes().count == 2000)

    // Over itself, and then inside again in another folder.
    try outside.writeWithExternalData(to: path)
    #expect(try ONNXModel.read(path: path).graph.initializers[0].bytes() == large)
    let other = try TestFolder()
    try outside.write(to: other["one.onnx"])
    let inside = try ONNXModel.read(path: other["one.onnx"])
    #expect(try inside.graph.initializers[0].bytes() == large)
    #expect(inside.graph.initializers.allSatisfy { !$0.isExternal })
    #expect(try inside.graph.initializers[2].strings().map(\.text) == ["kept"])
  }
}
