import Formats
import Foundation
import Support
import TestSupport
import Testing

/// Models made to break a reader: each ends soon, in one line that says what and where, and takes no more memory than
/// a model of that size may.
@Suite struct HostileModelTests {
  private struct Measured {
    var status: Int32
    var text: String
    /// The most memory that the process had, in MiB.
    var peak: Int
  }

  /// The command on a file, with what it took.
  private func measure(_ arguments: [String], in folder: TestFolder) throws -> Measured {
    let log = folder["log"]
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    for stream in [STDOUT_FILENO, STDERR_FILENO] {
      posix_spawn_file_actions_addopen(&actions, stream, log + "\(stream)", O_WRONLY | O_CREAT | O_TRUNC, 0o600)
    }
    var words: [UnsafeMutablePointer<CChar>?] = ([Martlet.path] + arguments).map { strdup($0) } + [nil]
    defer { for word in words { free(word) } }
    var process = pid_t()
    try #require(posix_spawn(&process, Martlet.path, &actions, nil, &words, environ) == 0)
    var status: Int32 = 0
    var usage = rusage()
    while wait4(process, &status, 0, &usage) < 0 && errno == EINTR {}
    let text = try String(decoding: Data(contentsOf: URL(fileURLWithPath: log + "2")), as: UTF8.self)
    let code = status & 0x7f == 0 ? (status >> 8) & 0xff : -(status & 0x7f)
    return Measured(status: code, text: text, peak: usage.ru_maxrss / 1024)
  }

  // MARK: Making models

  private static func node(_ kind: String, _ names: String..., domain: String = "") -> ONNXNode {
    ONNXNode(kind, domain: domain, inputs: Array(names.dropLast()), outputs: [names.last ?? ""])
  }

  private static func model(
    _ nodes: [ONNXNode], initializers: [ONNXTensor] = [], functions: [ONNXFunction] = []
  ) -> [UInt8] {
    var model = ONNXModel()
    model.irVersion = 8
    model.operatorSets = [ONNXOperatorSet("", 18), ONNXOperatorSet("f", 1)]
    model.functions = functions
    model.graph.nodes = nodes
    model.graph.initializers = initializers
    model.graph.inputs = [ONNXValueInfo("x", .f32, [ONNXDimension(2), ONNXDimension(3)])]
    var output = ONNXValueInfo()
    output.name = "y"
    model.graph.outputs = [output]
    return model.encode()
  }

  private static func tensor(_ name: String, _ type: ElementType, dims: [Int], bytes: Int) -> ONNXTensor {
    ONNXTensor(name, type, dims: dims, data: ByteView(count: bytes) { _ in })
  }

  private static func external(_ location: String, offset: String = "0") -> ONNXTensor {
    var tensor = ONNXTensor()
    tensor.name = "w"
    tensor.dims = [2, 3]
    tensor.rawType = ONNXDataType.float.rawValue
    tensor.rawLocation = 1
    tensor.externalData = [ONNXStringEntry("location", location), ONNXStringEntry("offset", offset)]
    return tensor
  }

  private static func function(_ name: String, _ nodes: [ONNXNode]) -> ONNXFunction {
    var function = ONNXFunction()
    function.name = name
    function.domain = "f"
    function.inputs = ["a"]
    function.outputs = ["b"]
    function.nodes = nodes
    function.operatorSets = [ONNXOperatorSet("", 18), ONNXOperatorSet("f", 1)]
    return function
  }

  /// Each calls the next one twice.
  private static var doubling: [ONNXFunction] {
    var functions: [ONNXFunction] = []
    for number in 0..<50 {
      let next = "F\(number + 1)"
      functions.append(function("F\(number)", [node(next, "a", "t", domain: "f"), node(next, "t", "b", domain: "f")]))
    }
    return functions + [function("F50", [node("Relu", "a", "b")])]
  }

  /// A run of bytes as field `field`, whose claim may be another length.
  private static func field(_ field: UInt8, _ content: [UInt8], claim: Int? = nil) -> [UInt8] {
    var length = claim ?? content.count
    var bytes = [field << 3 | 2]
    while length >= 0x80 {
      bytes.append(UInt8(length & 0x7f) | 0x80)
      length >>= 7
    }
    return bytes + [UInt8(length)] + content
  }

  /// A graph in an attribute of a node of a graph, and so on.
  private static var nested: [UInt8] {
    var graph: [UInt8] = []
    for _ in 0..<10_000 { graph = field(1, field(5, field(6, graph))) }
    return field(7, graph)
  }

  private static func add(_ weight: ONNXTensor) -> [UInt8] {
    model([node("Add", "x", "w", "y")], initializers: [weight])
  }

  private static func shaped(_ kind: String, _ numbers: [Int]) -> [UInt8] {
    let bytes = ByteView(
      copying: numbers.flatMap { number in (0..<8).map { UInt8(truncatingIfNeeded: number >> ($0 * 8)) } })
    let inputs = kind == "ConstantOfShape" ? ["s"] : ["x", "s"]
    return model(
      [ONNXNode(kind, inputs: inputs, outputs: ["y"])],
      initializers: [ONNXTensor("s", .i64, dims: [numbers.count], data: bytes)])
  }

  /// What is wrong, the file, and words of the message.
  private static let broken: [(String, @Sendable () -> [UInt8], [String])] = {
    var cases: [(String, @Sendable () -> [UInt8], [String])] = []
    func add(_ name: String, _ words: String..., bytes: @escaping @Sendable () -> [UInt8]) {
      cases.append((name, bytes, words))
    }
    add("empty", "is empty") { [] }
    add("varint", "byte 0") { [UInt8](repeating: 0xff, count: 40) }
    add("claim", "byte 1", "claims 2147483648 bytes") { field(7, [UInt8](repeating: 0, count: 2000), claim: 2 << 30) }
    add("levels", "nested more than 100 deep") { nested }
    add("cycle", "node \"a\" (Add)", "cycle") {
      model([node("Add", "x", "b", "a"), node("Relu", "a", "b"), node("Relu", "b", "y")])
    }
    add("missing", "node \"y\" (Relu)", "\"q\", which nothing defines") { model([node("Relu", "q", "y")]) }
    add("duplicate", "node \"y\" (Neg)", "two nodes define \"y\"") {
      model([node("Relu", "x", "y"), node("Neg", "x", "y")])
    }
    add("twins", "two initializers are called \"w\"") {
      let weight = tensor("w", .f32, dims: [2, 3], bytes: 24)
      return model([node("Add", "x", "w", "y")], initializers: [weight, weight])
    }
    add("itself", "\"F\" calls itself") {
      model([node("F", "x", "y", domain: "f")], functions: [function("F", [node("F", "a", "b", domain: "f")])])
    }
    add("growth", "functions of the model grow beyond") {
      model([node("F0", "x", "y", domain: "f")], functions: doubling)
    }
    add("short", "tensor \"w\"", "raw_data has 20 bytes, [2, 3] of f32 take 24") {
      Self.add(tensor("w", .f32, dims: [2, 3], bytes: 20))
    }
    add("negative", "tensor \"w\"", "dims[0] is -2") { Self.add(tensor("w", .f32, dims: [-2, 3], bytes: 24)) }
    add("overflow", "tensor \"w\"", "more elements than can be counted") {
      Self.add(tensor("w", .f32, dims: [1 << 40, 1 << 40], bytes: 24))
    }
    add("type", "tensor \"w\"", "type number 99") {
      var weight = tensor("w", .f32, dims: [2, 3], bytes: 24)
      weight.rawType = 99
      return Self.add(weight)
    }
    add("outside", "tensor \"w\"", "leaves the model's folder") { Self.add(external("../outside")) }
    add("beyond", "tensor \"w\"", "has 30 bytes, bytes 8 to 32 are wanted") { Self.add(external("data", offset: "8")) }
    add("far", "tensor \"w\"", "offset") { Self.add(external("data", offset: "99999999999999999999")) }
    add("large", "node \"y\" (ConstantOfShape)", "too large") {
      shaped("ConstantOfShape", [1 << 30, 1 << 30, 1 << 30])
    }
    add("tile", "node \"y\" (Tile)", "too large") { shaped("Tile", [1 << 40, 1 << 40]) }
    add("index", "node \"y\" (Gather)", "index 7 out of range for extent 2") { shaped("Gather", [7]) }
    return cases
  }()

  /// What a process needs that reads a model of nothing, in MiB, is taken off; this much more is a few pages and the
  /// file itself, several times.
  private static let allowance = 24

  @Test func badModelsEndInOneLine() throws {
    let folder = try TestFolder()
    try AtomicFile.write([UInt8](repeating: 1, count: 30), to: folder["data"])
    try AtomicFile.write(Self.model([Self.node("Relu", "x", "y")]), to: folder["good.onnx"])
    let good = try measure(["inspect", folder["good.onnx"]], in: folder)
    #expect(good.status == 0, "\(good.text)")
    for (name, bytes, words) in Self.broken {
      let path = folder["\(name).onnx"]
      try AtomicFile.write(bytes(), to: path)
      let clock = ContinuousClock()
      let start = clock.now
      let result = try measure(["inspect", path], in: folder)
      #expect(clock.now - start < .seconds(20), "\(name)")
      #expect(result.status == 1, "\(name): \(result.status), \(result.text)")
      #expect(result.text.hasPrefix("martlet: error: "), "\(name): \(result.text)")
      #expect(result.text.split(separator: "\n").count == 1, "\(name): \(result.text)")
      #expect(result.text.contains("\(name).onnx"), "\(name): \(result.text)")
      for word in words { #expect(result.text.contains(word), "\(name): \(word) in \(result.text)") }
      #expect(result.peak - good.peak < Self.allowance, "\(name): \(result.peak) MiB, usual are \(good.peak)")
    }
  }

  /// Every beginning of a model is refused or read, and never more.
  @Test func cutModelsEndInOneLine() throws {
    let folder = try TestFolder()
    let bytes = try Data(contentsOf: URL(fileURLWithPath: Martlet.digits))
    for part in 0..<16 {
      try bytes.prefix(bytes.count * part / 16).write(to: URL(fileURLWithPath: folder["cut.onnx"]))
      let result = try measure(["convert", folder["cut.onnx"], "-o", folder["out.onnx"]], in: folder)
      #expect(result.status == 1, "\(part): \(result.text)")
      #expect(result.text.split(separator: "\n").count == 1, "\(part): \(result.text)")
      #expect(result.text.contains("cut.onnx"), "\(part): \(result.text)")
    }
    #expect(try !folder.names.contains("out.onnx"))
  }
}
