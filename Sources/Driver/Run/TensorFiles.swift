import Formats
import IR
import Support

/// Tensors to and from .npy files. What numpy has no type for travels wider: bf16 and the small floats as f32,
/// integers of 2 and 4 bits as int8.
enum TensorFiles {
  /// Reads a file for a port that holds `element`.
  static func read(_ path: String, as element: TensorElement) throws(Diagnostic) -> Tensor {
    try tensor(try NumPyArray.read(path: path), as: element, Location(file: path))
  }

  static func tensor(_ array: NumPyArray, as element: TensorElement, _ place: Location) throws(Diagnostic) -> Tensor {
    guard let type = element.storage else { throw .unsupported("\(element) cannot be read from a .npy file") }
    if array.type == .string, type == .string {
      return Tensor(strings: array.strings.map { Array($0.utf8) }, shape: array.dims)
    }
    do throws(Diagnostic) {
      guard array.type != .string, type != .string else {
        throw .invalid("holds \(array.type.rawValue), but \(type.rawValue) is expected")
      }
      if array.type == type { return try Tensor(element: element, shape: array.dims, bytes: array.data) }
      let wide = try Tensor(element: .plain(array.type), shape: array.dims, bytes: array.data)
      let narrow: Tensor
      if type.isFloat, type.bits <= 16, array.type == .f32 {
        narrow = Tensor(type, array.dims, doubles: wide.doubles())
      } else if type.isInteger, type.bits < 8, array.type == .i8 || array.type == .u8 {
        narrow = Tensor(type, array.dims, integers: wide.integers())
      } else {
        throw .invalid("holds \(array.type.rawValue), but \(type.rawValue) is expected")
      }
      return try Tensor(element: element, shape: array.dims, bytes: narrow.bytes)
    } catch {
      throw error.located(place)
    }
  }

  static func array(_ tensor: Tensor) throws(Diagnostic) -> NumPyArray {
    if tensor.storage == .string {
      return NumPyArray(strings: tensor.strings.map { String(decoding: $0, as: UTF8.self) }, dims: tensor.shape)
    }
    guard let type = tensor.storage else { throw .unsupported("\(tensor.element) cannot be written as .npy") }
    let wider: ElementType =
      switch type {
      case .i2, .u2, .i4, .u4: .i8
      case .f16, .f32, .f64: type
      case _ where type.isFloat: .f32
      default: type
      }
    if wider == type { return NumPyArray(type, dims: tensor.shape, data: tensor.bytes) }
    let wide =
      wider == .i8
      ? Tensor(.i8, tensor.shape, integers: tensor.integers()) : Tensor(.f32, tensor.shape, doubles: tensor.doubles())
    return NumPyArray(wider, dims: tensor.shape, data: wide.bytes)
  }

  /// The tensors of a value, by names that are files': members of a list by their numbers. A list of nothing has none.
  static func parts(_ name: String, _ value: Value) throws(Diagnostic) -> [(name: String, tensor: Tensor)] {
    switch value {
    case .tensor(let tensor): return [(name, tensor)]
    case .optional(let member): return try member.map { value throws(Diagnostic) in try parts(name, value) } ?? []
    case .sequence(let members):
      var result: [(name: String, tensor: Tensor)] = []
      for (number, member) in members.enumerated() {
        guard let tensor = member.tensor else { throw .unsupported("\(name): a sequence of sequences has no files") }
        result.append(("\(name).\(number)", tensor))
      }
      return result
    }
  }

  static func parts(_ values: [(name: String, value: Value)]) throws(Diagnostic) -> [(name: String, tensor: Tensor)] {
    var result: [(name: String, tensor: Tensor)] = []
    for (name, value) in values { result += try parts(name, value) }
    return result
  }

  /// Writes `DIR/<name>.npy` of each, and a list of them called `list`.
  @discardableResult
  static func save(_ tensors: [(name: String, tensor: Tensor)], to folder: String, list: String)
    throws(Diagnostic) -> [(name: String, path: String)]
  {
    try Paths.makeFolder(folder)
    var taken: Set<String> = []
    var rows: [JSON] = []
    var written: [(name: String, path: String)] = []
    for (name, tensor) in tensors {
      let base = String(name.map { $0 == "/" ? "_" : $0 })
      var stem = base
      var number = 0
      while !taken.insert(stem).inserted {
        number += 1
        stem = "\(base).\(number)"
      }
      let path = "\(folder)/\(stem).npy"
      try array(tensor).write(to: path)
      written.append((name, path))
      rows.append(
        .object([
          JSON.Member("name", .string(name)), JSON.Member("file", .string("\(stem).npy")),
          JSON.Member("type", .string(tensor.storage?.rawValue ?? "\(tensor.element)")),
          JSON.Member("shape", .array(tensor.shape.map { .int($0) })),
        ]))
    }
    try AtomicFile.write(Array((JSON.array(rows).pretty + "\n").utf8), to: "\(folder)/\(list)")
    return written
  }
}
