import Foundation
import IR
import Support
import Testing

/// A tensor of the file of cases.
struct RecordedTensor: Decodable, Sendable {
  var type: String
  var offset: Int

  /// `f32[2, 3]@120`: the bytes from 120 on.
  init(_ text: some StringProtocol) throws {
    let parts = text.split(separator: "@")
    type = try String(#require(parts.first))
    offset = try #require(parts.last.flatMap { Int($0) })
  }

  init(from decoder: any Decoder) throws { try self.init(decoder.singleValueContainer().decode(String.self)) }

  func tensor(in data: [UInt8]) throws -> Tensor {
    let element = try #require(ElementType(rawValue: String(type.prefix { $0 != "[" })))
    let extents = type.drop { $0 != "[" }.dropFirst().dropLast().split(separator: ",")
    let shape = try extents.map { try #require(Int($0.trimmingCharacters(in: .whitespaces))) }
    let count = try #require(TensorType(element, shape.map { Dim($0) }).constantBytes)
    return try Tensor(
      element: .plain(element), shape: shape, bytes: ByteView(copying: Array(data[offset..<offset + count])))
  }
}

/// Lines of .mir, what goes in, and what an independent peer says comes out; `make_cases.py` writes them.
struct OracleCase: Decodable, Sendable {
  struct Result: Decodable, Sendable {
    var name: String
    var expected: RecordedTensor

    /// `r0 f32[2, 3]@120`: what the value of this name must hold.
    init(from decoder: any Decoder) throws {
      let text = try decoder.singleValueContainer().decode(String.self)
      let space = try #require(text.firstIndex(of: " "))
      name = String(text[..<space])
      expected = try RecordedTensor(text[text.index(after: space)...])
    }
  }

  var body: String
  var peer: String
  var tolerance: Agreement
  var inputs: [RecordedTensor]
  var results: [Result]
  /// Of the inputs, where they differ from what is recorded: with symbols, or blocks whose bytes are recorded.
  var types: [String]?
  var declarations: String?

  /// The op that the case is filed under.
  var op: String {
    let right = body.split(separator: "=", maxSplits: 1).last ?? ""
    return String(right.drop { $0 == " " }.prefix { $0.isLetter || $0.isNumber || $0 == "_" })
  }

  func module() throws -> Module {
    let arguments = inputs.indices.map { "%\($0): \(types?[$0] ?? inputs[$0].type)" }
    let outputs = results.enumerated().map { "%o\($0): \(resultType($1))" }
    let text = """
      module @case {
        symbol n in 1...64
        symbol m in 1...64
        symbol s in 0...4096
        symbol t in 0...4096
        \(declarations ?? "")
        entry @main(\(arguments.joined(separator: ", "))) -> (\(outputs.joined(separator: ", "))) {
      \(body)
      return \(results.map { "%" + $0.name }.joined(separator: ", "))
        }
      }
      """
    let module = try ModuleParser.parse(text, file: "case.mir")
    try Verifier.verify(module)
    return module
  }

  /// As the body says it: an extent that depends on data is a symbol there.
  private func resultType(_ result: Result) -> String {
    for line in body.split(separator: "\n").reversed() {
      let names = line.prefix { $0 != "=" }.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }
      let all = line.split(separator: " : ").last.map(String.init) ?? ""
      if let place = names.firstIndex(of: "%" + result.name) { return OracleCase.split(all)[place] }
      // A region ends here; its results are named where it starts.
      if line.hasPrefix("}"), let place = Int(result.name.dropFirst()) { return OracleCase.split(all)[place] }
    }
    return result.expected.type
  }

  /// `f32[2, 3], i64[]` at the commas between types.
  private static func split(_ types: String) -> [String] {
    var parts = [""]
    var depth = 0
    for character in types {
      if character == "[" { depth += 1 }
      if character == "]" { depth -= 1 }
      if character == ",", depth == 0 { parts.append("") } else { parts[parts.count - 1].append(character) }
    }
    return parts.map { $0.trimmingCharacters(in: .whitespaces) }
  }

  func inputTensors() throws -> [Tensor] {
    try inputs.enumerated().map { number, input in
      let tensor = try input.tensor(in: OracleCase.data)
      guard let type = types?[number], let name = type.split(separator: "[").first,
        let format = BlockFormat.all.first(where: { $0.name == name })
      else { return tensor }
      let blocks = tensor.bytes.count / format.bytesPerBlock
      let shape = [tensor.shape[0], tensor.shape[0] == 0 ? 0 : blocks / tensor.shape[0] * format.valuesPerBlock]
      return try Tensor(element: .block(format), shape: shape, bytes: tensor.bytes)
    }
  }

  func expected() throws -> [Tensor] { try results.map { try $0.expected.tensor(in: OracleCase.data) } }
}

extension OracleCase {
  private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()

  static let data: [UInt8] = (try? Data(contentsOf: folder.appendingPathComponent("cases.bin"))).map(Array.init) ?? []

  /// All cases by the op that they are filed under.
  static let byOp: [String: [OracleCase]] = {
    guard let file = try? Data(contentsOf: folder.appendingPathComponent("cases.json")),
      let cases = try? JSONDecoder().decode([OracleCase].self, from: file)
    else { return [:] }
    return Dictionary(grouping: cases, by: \.op)
  }()
}
