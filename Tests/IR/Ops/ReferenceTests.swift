import Foundation
import IR
import Support
import Testing

/// Every case of `reference.json` and `index_reference.json`, which the scripts beside them compute with NumPy,
/// ml_dtypes and ONNX Runtime.
@Suite struct ReferenceTests {
  private struct Case: Decodable {
    struct Input: Decodable {
      var type: String
      var bytes: String
    }
    var op: String
    var inputs: [Input]
    var result: String
    var expected: String
    var tolerance: Double
    /// Of all results, where there are several or an extent is the symbol `s`; `number` is the one expected.
    var types: [String]?
    var number: Int?
  }

  private func cases(_ name: String) throws -> [Case] {
    let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent(name + ".json")
    return try JSONDecoder().decode([Case].self, from: Data(contentsOf: file))
  }

  @Test(arguments: ["reference", "index_reference"]) func opsAgreeWithTheReference(_ file: String) throws {
    for item in try cases(file) {
      var inputs: [Tensor] = []
      for input in item.inputs { inputs.append(try tensor(input.type, input.bytes)) }
      // The extent of a data-dependent result is a symbol in its type.
      let types = item.types ?? [item.op.hasPrefix("non_zero") ? "i64[3, s]" : item.result]
      do {
        let value = try OpRunner.run(item.op, results: types, number: item.number ?? 0, inputs)
        if let difference = difference(value, try tensor(item.result, item.expected), item.tolerance) {
          Issue.record("\(item.op) on \(item.inputs.map(\.type)): \(difference)")
        }
      } catch {
        Issue.record("\(item.op) on \(item.inputs.map(\.type)): \(error)")
      }
    }
  }

  private func tensor(_ type: String, _ hexadecimal: String) throws -> Tensor {
    let name = String(type.prefix { $0 != "[" })
    let extents = type.drop { $0 != "[" }.dropFirst().dropLast().split(separator: ",")
    let element = try #require(ElementType(rawValue: name))
    let shape = extents.compactMap { Int($0.trimmingCharacters(in: .whitespaces)) }
    let digits = Array(hexadecimal.utf8)
    var bytes: [UInt8] = []
    for i in stride(from: 0, to: digits.count, by: 2) {
      bytes.append(try #require(UInt8(String(decoding: digits[i..<i + 2], as: UTF8.self), radix: 16)))
    }
    return try Tensor(element: .plain(element), shape: shape, bytes: ByteView(copying: bytes))
  }

  /// Says where two tensors differ: beyond the tolerance, relative to the greater of 1 and the expected value.
  private func difference(_ value: Tensor, _ expected: Tensor, _ tolerance: Double) -> String? {
    guard value.type == expected.type else { return "\(value.type) is not \(expected.type)" }
    guard value.isFloat else {
      return value.bytes == expected.bytes ? nil : "\(value.integers()) is not \(expected.integers())"
    }
    for (i, (a, b)) in zip(value.doubles(), expected.doubles()).enumerated() {
      if a.isNaN && b.isNaN { continue }
      let same = tolerance == 0 ? a.bitPattern == b.bitPattern : a == b || abs(a - b) <= tolerance * max(1, abs(b))
      if !same { return "element \(i) is \(a), expected \(b)" }
    }
    return nil
  }
}
