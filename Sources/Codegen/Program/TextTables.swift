import IR
import Support

/// Texts that are known when compiling, as they lie among the weights.
enum TextTable {
  /// One offset more than there are texts, from the start of the table, then `numbers`, then the bytes.
  static func bytes(_ texts: [[UInt8]], numbers: [Int] = []) -> [UInt8] {
    var offsets: [Int] = []
    var end = 8 * (texts.count + 1 + numbers.count)
    for text in texts {
      offsets.append(end)
      end += text.count
    }
    var result: [UInt8] = []
    result.reserveCapacity(end)
    for number in offsets + [end] + numbers {
      for byte in 0..<8 { result.append(UInt8(truncatingIfNeeded: number >> (8 * byte))) }
    }
    for text in texts { result += text }
    return result
  }

  /// The keys of a search in ascending order, each once with the number of the first like it.
  static func search(_ keys: [[UInt8]]) -> (bytes: [UInt8], count: Int) {
    let order = keys.indices.sorted { a, b in
      keys[a] == keys[b] ? a < b : keys[a].lexicographicallyPrecedes(keys[b])
    }
    var kept: [Int] = []
    for number in order where kept.last.map({ keys[$0] != keys[number] }) ?? true { kept.append(number) }
    return (bytes(kept.map { keys[$0] }, numbers: kept), kept.count)
  }

  /// The characters that change their case, as `martlet_case` of the runtime: 4 bytes of a character, a length, 11 bytes.
  static func cases(_ kind: StringCase) -> (bytes: [UInt8], count: Int) {
    var result: [UInt8] = []
    var count = 0
    for value in UInt32(0)...0x1ffff {
      guard let scalar = Unicode.Scalar(value), case let mapped = kind.mapping(scalar), mapped.count <= 11,
        mapped != Array(String(scalar).utf8)
      else { continue }
      for byte in 0..<4 { result.append(UInt8(truncatingIfNeeded: value >> (8 * UInt32(byte)))) }
      result.append(UInt8(mapped.count))
      result += mapped + Array(repeating: 0, count: 11 - mapped.count)
      count += 1
    }
    return (result, count)
  }
}

extension ProgramBuilder {
  /// A table among the weights; equal ones share a place.
  func table(_ what: String, _ bytes: [UInt8]) -> BufferID {
    // A place of no bytes is none.
    let content = ByteView(copying: bytes.isEmpty ? [0] : bytes)
    return weightBuffer(
      WeightKey(.constant("\(what).\(ContentHash.of(content))")), bytes: content.count, content: { content })
  }

  /// The texts of a constant: their addresses are made before all else, once in a run.
  func textBuffer(_ texts: Tensor, label: String, at site: String) -> BufferID {
    let addresses = addBuffer(label, bytes: Dim(8 * texts.count), .workspace)
    let uses = [BufferUse(table("texts", TextTable.bytes(texts.strings)), .read), BufferUse(addresses, .write)]
    prologue.append(
      .call(RuntimeCall(function: .stringTable, buffers: uses, scalars: [Dim(texts.count)], site: site)))
    return addresses
  }
}
