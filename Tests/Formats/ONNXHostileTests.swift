import Formats
import Foundation
import Support
import TestSupport
import Testing

/// Files made to break a reader: each published class of parser bug once.
@Suite struct ONNXHostile {
  // MARK: Building bytes

  private static func varint(_ value: UInt64) -> [UInt8] {
    var rest = value
    var bytes: [UInt8] = []
    while rest >= 0x80 {
      bytes.append(UInt8(rest & 0x7f) | 0x80)
      rest >>= 7
    }
    return bytes + [UInt8(rest)]
  }

  private static func run(_ field: UInt64, _ content: [UInt8]) -> [UInt8] {
    varint(field << 3 | 2) + varint(UInt64(content.count)) + content
  }

  private static func number(_ field: UInt64, _ value: Int) -> [UInt8] {
    varint(field << 3) + varint(UInt64(bitPattern: Int64(value)))
  }

  private func decode(_ bytes: [UInt8]) throws -> ONNXModel {
    try ONNXModel.decode(ByteView(copying: bytes), name: "hostile.onnx")
  }

  private func failure(_ bytes: [UInt8], _ words: String) {
    do {
      _ = try decode(bytes)
      Issue.record("accepted; \(words) expected")
    } catch {
      #expect("\(error)".contains(words), "\(error)")
      #expect("\(error)".contains("hostile.onnx"))
    }
  }

  /// A model of one initializer with these bytes, and what reading its elements says.
  private func tensor(_ content: [UInt8]) throws -> ONNXTensor {
    let model = try decode(ONNXHostile.run(7, ONNXHostile.run(5, content)))
    return try #require(model.graph.initializers.first)
  }

  private func tensorFailure(_ content: [UInt8], _ words: String) throws {
    let tensor = try tensor(content)
    do {
      _ = try tensor.bytes()
      Issue.record("accepted; \(words) expected")
    } catch {
      #expect("\(error)".contains(words), "\(error)")
    }
  }

  // MARK: The wire

  @Test func emptyFilesAreNoModels() {
    failure([], "is empty")
    failure(ONNXHostile.number(1, 8), "holds no graph")
  }

  @Test func numbersEnd() {
    failure([UInt8](repeating: 0x80, count: 100), "more than 64 bits")
    failure([0x08] + [UInt8](repeating: 0xff, count: 100), "more than 64 bits")
    failure([0x08, 0x80], "does not end")
  }

  @Test func groupsAndOtherWireTypesAreRefused() {
    for kind: UInt8 in [3, 4, 6, 7] { failure([7 << 3 | kind, 0], "wire type \(kind)") }
    failure([0x00, 0x00], "field number 0")
    failure(ONNXHostile.varint(1 << 32) + [0], "field number")
    failure([0x3d, 0, 0, 0, 0], "graph: holds 32 bits instead of a run of bytes")
  }

  @Test func lengthsStayInsideTheirMessage() {
    failure([0x3a, 0x05, 0x00], "claims 5 bytes, 1 are left")
    failure([0x3a] + ONNXHostile.varint(.max), "claims 18446744073709551615 bytes")
    // A node inside the graph that reaches beyond the graph, though not beyond the file.
    failure([0x3a, 0x02, 0x0a, 0x10] + [UInt8](repeating: 0, count: 32), "graph")
    failure([0x0d, 1, 2], "field 1 needs 4 bytes, 2 are left")
  }

  @Test func twoGigabytesInTwoKilobytes() throws {
    let claim = [0x4a] + ONNXHostile.varint(2 << 30)
    failure(ONNXHostile.run(7, ONNXHostile.run(5, claim) + [UInt8](repeating: 0, count: 2000)), "graph.initializer[0]")
    let dims = ONNXHostile.number(1, 2 << 30) + ONNXHostile.number(2, 1)
    try tensorFailure(dims, "holds no data, [2147483648] of f32 take 8589934592 bytes")
  }

  @Test func depthIsLimited() {
    // A graph in an attribute of a node of a graph, and so on.
    var graph: [UInt8] = []
    for _ in 0..<3000 { graph = ONNXHostile.run(1, ONNXHostile.run(5, ONNXHostile.run(6, graph))) }
    failure(ONNXHostile.run(7, graph), "nested more than 100 deep")

    var type: [UInt8] = []
    for _ in 0..<10_000 { type = ONNXHostile.run(4, ONNXHostile.run(1, type)) }
    failure(ONNXHostile.run(7, ONNXHostile.run(11, ONNXHostile.run(2, type))), "nested more than 100 deep")
  }

  @Test func errorsNameTheField() {
    let attribute = ONNXHostile.run(1, Array("value".utf8)) + ONNXHostile.run(5, ONNXHostile.run(1, [0x80]))
    let node = ONNXHostile.run(5, ONNXHostile.number(3, 1)) + ONNXHostile.run(5, attribute)
    let graph = ONNXHostile.run(1, []) + ONNXHostile.run(1, node)
    do {
      _ = try decode(ONNXHostile.run(7, graph))
      Issue.record("accepted")
    } catch {
      #expect("\(error)".contains("graph.node[1].attribute[1].t"), "\(error)")
      #expect("\(error)".contains("byte "))
    }
  }

  @Test func namesAreText() {
    failure(ONNXHostile.run(7, ONNXHostile.run(2, [0xff, 0xfe])), "graph.name: is not UTF-8 text")
    // What is for people only is repaired instead.
    #expect(throws: Never.self) { try decode(ONNXHostile.run(7, ONNXHostile.run(10, [0xff, 0xfe]))) }
  }

  @Test func packedNumbersAreWhole() {
    failure(ONNXHostile.run(7, ONNXHostile.run(5, ONNXHostile.run(4, [0, 0, 0]))), "no multiple of 4")
    failure(ONNXHostile.run(7, ONNXHostile.run(5, ONNXHostile.run(10, [0, 0, 0, 0]))), "no multiple of 8")
    failure(ONNXHostile.run(7, ONNXHostile.run(5, ONNXHostile.run(5, [0x80]))), "does not end")
    failure(ONNXHostile.run(7, ONNXHostile.run(5, ONNXHostile.run(7, .init(repeating: 0xff, count: 11)))), "64 bits")
  }

  @Test func emptyMessagesDoNotFillTheMemory() {
    let nodes = [UInt8](repeating: 0, count: 4 << 20).enumerated().map { $0.offset % 2 == 0 ? 0x0a : UInt8(0) }
    failure(ONNXHostile.run(7, nodes), "more messages than")
  }

  // MARK: Tensors

  @Test func dimsAreChecked() throws {
    let float = ONNXHostile.number(2, 1)
    try tensorFailure(ONNXHostile.number(1, -1) + float, "dims[0] is -1")
    let huge = ONNXHostile.number(1, 1 << 40)
    try tensorFailure(huge + huge + float, "more elements than can be counted")
    // A zero elsewhere must not hide the overflow: the rest is multiplied too.
    try tensorFailure(huge + huge + ONNXHostile.number(1, 0) + float, "more elements than can be counted")
    try tensorFailure(ONNXHostile.number(1, .max) + ONNXHostile.number(2, 11), "more bytes than can be counted")
    try tensorFailure(ONNXHostile.number(1, 3) + float + ONNXHostile.run(9, [0, 0, 0, 0]), "raw_data has 4 bytes")
    try tensorFailure(ONNXHostile.number(1, 3) + float + ONNXHostile.run(4, [0, 0, 0, 0]), "float_data has 1")
    try tensorFailure(ONNXHostile.number(1, 3) + ONNXHostile.number(2, 7) + ONNXHostile.run(7, [1]), "int64_data has 1")
  }

  @Test func typesAreChecked() throws {
    try tensorFailure(ONNXHostile.number(2, 0), "type undefined")
    try tensorFailure(ONNXHostile.number(2, 99), "type number 99")
    try tensorFailure(ONNXHostile.number(2, -1), "type number -1")
    try tensorFailure(ONNXHostile.number(2, 15), "type complex128 cannot be read")
    #expect(throws: Diagnostic.self) { try tensor(ONNXHostile.number(2, 1)).strings() }
  }

  // MARK: External data

  private func externalModel(_ location: String, _ more: [(String, String)] = []) -> [UInt8] {
    var tensor = ONNXTensor()
    tensor.name = "w"
    tensor.dims = [4]
    tensor.rawType = ONNXDataType.uint8.rawValue
    tensor.rawLocation = 1
    tensor.externalData = [ONNXStringEntry("location", location)] + more.map { ONNXStringEntry($0.0, $0.1) }
    var model = ONNXModel()
    model.graph.initializers = [tensor]
    return model.encode()
  }

  private func external(_ folder: TestFolder, _ location: String, _ more: [(String, String)] = []) throws
    -> ByteView
  {
    let path = folder["inside/m.onnx"]
    try AtomicFile.write(externalModel(location, more), to: path)
    let model = try ONNXModel.read(path: path)
    return try #require(model.graph.initializers.first).bytes()
  }

  @Test func externalDataStayInTheFolder() throws {
    let folder = try TestFolder()
    let manager = FileManager.default
    try manager.createDirectory(atPath: folder["inside/sub"], withIntermediateDirectories: true)
    try AtomicFile.write([9, 9, 9, 9], to: folder["secret"])
    try AtomicFile.write([0, 1, 2, 3, 4, 5, 6, 7], to: folder["inside/sub/data"])
    try manager.createSymbolicLink(atPath: folder["inside/out"], withDestinationPath: folder["secret"])
    try manager.createSymbolicLink(atPath: folder["inside/up"], withDestinationPath: folder.path)
    try manager.createSymbolicLink(atPath: folder["inside/within"], withDestinationPath: "sub/data")
    try manager.createDirectory(atPath: folder["inside-too"], withIntermediateDirectories: true)
    try AtomicFile.write([9, 9, 9, 9], to: folder["inside-too/data"])

    #expect(try external(folder, "sub/data").bytes == [0, 1, 2, 3])
    #expect(try external(folder, "within", [("offset", "4"), ("length", "4")]).bytes == [4, 5, 6, 7])
    for location in [
      "../secret", "sub/../../secret", folder["secret"], "out", "up/secret", "../inside-too/data", "", "missing",
      "sub", "sub/data\0.txt", "/dev/zero",
    ] {
      #expect(throws: Diagnostic.self, "\(location)") { try external(folder, location) }
    }
    for (key, value) in [
      ("offset", "5"), ("offset", "-1"), ("offset", "9223372036854775807"), ("offset", "x"), ("length", "8"),
      ("length", "99999999999999999999"), ("offset", "18446744073709551615"),
    ] {
      #expect(throws: Diagnostic.self, "\(key) \(value)") { try external(folder, "sub/data", [(key, value)]) }
    }
  }

  @Test func externalDataNeedAFile() throws {
    let model = try decode(externalModel("data"))
    #expect(throws: Diagnostic.self) { try model.graph.initializers[0].bytes() }
  }

  // MARK: Anything

  /// Uses everything that a frontend would.
  private func readAll(_ bytes: [UInt8]) {
    guard let model = try? decode(bytes) else { return }
    for tensor in model.graph.initializers {
      _ = try? tensor.bytes()
      _ = try? tensor.strings()
    }
    for attribute in model.graph.nodes.flatMap(\.attributes) {
      _ = attribute.kind
      _ = attribute.strings
      _ = try? attribute.tensor?.bytes()
    }
    let again = model.encode()
    // Once written, reading and writing change nothing.
    #expect(try! decode(again).encode() == again)
  }

  @Test(arguments: ["typed.onnx", "everything.onnx"]) func cutAnywhere(_ name: String) throws {
    let bytes = try Samples.bytes(name)
    for length in 0..<bytes.count { readAll(Array(bytes[..<length])) }
  }

  @Test(arguments: ["typed.onnx", "everything.onnx"]) func changedAnywhere(_ name: String) throws {
    let bytes = try Samples.bytes(name)
    var generator = Seeded(3)
    for _ in 0..<10_000 {
      var changed = bytes
      for _ in 0...Int(generator.next() % 4) {
        let place = Int(generator.next() % UInt64(bytes.count))
        let bit = generator.next() % 16
        if bit < 8 {
          changed[place] ^= 1 << UInt8(bit)
        } else {
          changed[place] = UInt8(truncatingIfNeeded: generator.next())
        }
      }
      readAll(changed)
    }
  }
}
