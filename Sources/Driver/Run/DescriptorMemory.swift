import CMartlet
import IR
import Support

/// Values as an artifact's interface describes them, in memory that lives as long as this object.
final class DescriptorMemory {
  private var blocks: [UnsafeMutableRawPointer] = []
  /// What descriptors point into.
  private var tensors: [Tensor] = []

  deinit { for block in blocks { block.deallocate() } }

  private func room<Element>(_ count: Int, for type: Element.Type, _ initial: Element) -> UnsafeMutablePointer<Element>
  {
    let pointer = UnsafeMutablePointer<Element>.allocate(capacity: max(1, count))
    pointer.initialize(repeating: initial, count: max(1, count))
    blocks.append(UnsafeMutableRawPointer(pointer))
    return pointer
  }

  func tensors(_ count: Int) -> UnsafeMutablePointer<martlet_tensor> {
    room(count, for: martlet_tensor.self, martlet_tensor())
  }

  func extents(_ extents: [Int]) -> UnsafeMutablePointer<Int64> {
    let pointer = room(extents.count, for: Int64.self, 0)
    for (axis, extent) in extents.enumerated() { pointer[axis] = Int64(extent) }
    return pointer
  }

  func describe(_ value: Value) -> martlet_tensor {
    switch value {
    case .tensor(let tensor): return describe(tensor)
    case .sequence(let members): return describe(members)
    case .optional(let member): return describe(member.map { [$0] } ?? [])
    }
  }

  private func describe(_ members: [Value]) -> martlet_tensor {
    let list = tensors(members.count)
    for (number, member) in members.enumerated() { list[number] = describe(member) }
    return martlet_tensor(
      data: list, capacity: Int64(members.count * MemoryLayout<martlet_tensor>.stride), type: 0, rank: 1,
      dims: extents([members.count]), strides: nil)
  }

  private func describe(_ tensor: Tensor) -> martlet_tensor {
    tensors.append(tensor)
    var data = UnsafeMutableRawPointer(mutating: tensor.bytes.base)
    var bytes = tensor.bytes.count
    if tensor.storage == .string {
      let texts = room(tensor.count, for: martlet_string.self, martlet_string())
      for (number, text) in tensor.strings.enumerated() where !text.isEmpty {
        let copy = room(text.count, for: CChar.self, 0)
        for (place, byte) in text.enumerated() { copy[place] = CChar(bitPattern: byte) }
        texts[number] = martlet_string(data: copy, length: Int64(text.count))
      }
      data = UnsafeMutableRawPointer(texts)
      bytes = tensor.count * MemoryLayout<martlet_string>.stride
    }
    return martlet_tensor(
      data: data, capacity: Int64(bytes), type: tensor.storage?.martletNumber ?? 0, rank: Int32(tensor.shape.count),
      dims: extents(tensor.shape), strides: nil)
  }

  // MARK: What comes back

  /// A copy of what is described; `list` is the type of a sequence or optional value.
  static func value(_ tensor: martlet_tensor, as list: ValueType?, _ label: String) throws(Diagnostic) -> Value {
    guard let list, let member = list.member else { return .tensor(try self.tensor(tensor, label)) }
    guard tensor.rank == 1, let dims = tensor.dims, dims[0] >= 0, dims[0] == 0 || tensor.data != nil else {
      throw .bug("\(label) is no list")
    }
    var members: [Value] = []
    let given = tensor.data?.assumingMemoryBound(to: martlet_tensor.self)
    for number in 0..<Int(dims[0]) {
      guard let described = given?[number] else { continue }
      members.append(try value(described, as: member.member == nil ? nil : member, "\(label), member \(number)"))
    }
    if case .optional = list { return .optional(members.first) }
    return .sequence(members)
  }

  private static func tensor(_ output: martlet_tensor, _ label: String) throws(Diagnostic) -> Tensor {
    guard let type = ElementType(martlet: output.type), output.rank >= 0, output.rank <= MARTLET_MAXIMUM_RANK else {
      throw .bug("\(label) has the type \(output.type) and the rank \(output.rank)")
    }
    let shape = (0..<Int(output.rank)).map { Int(output.dims[$0]) }
    guard let bytes = TensorType(type, shape.map { Dim($0) }).constantBytes, bytes == 0 || output.data != nil else {
      throw .bug("\(label) has the shape \(shape)")
    }
    guard type == .string else {
      let copy = ByteView(copying: UnsafeRawBufferPointer(start: output.data, count: bytes))
      return try Tensor(element: .plain(type), shape: shape, bytes: copy)
    }
    let texts = output.data?.assumingMemoryBound(to: martlet_string.self)
    let strings = (0..<shape.reduce(1, *)).map { number -> [UInt8] in
      guard let text = texts?[number], let data = text.data else { return [] }
      return Array(UnsafeRawBufferPointer(start: data, count: Int(text.length)))
    }
    return Tensor(strings: strings, shape: shape)
  }
}
