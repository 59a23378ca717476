import IR
import Support

/// The filters of a convolution as `[O, taps..., C / groups]`, however the graph holds them.
struct Filters {
  enum Place {
    /// Known ahead of time.
    case weight(WeightKey, Tensor)
    case buffer(BufferID)
  }

  var value: ValueID
  var element: ElementType
  var shape: [Int]
  var place: Place

  init(_ value: ValueID, _ shape: [Int], _ program: ProgramBuilder) throws(Diagnostic) {
    self.value = value
    self.shape = shape
    element = try program.tensorType(value).elementForCode()
    if let (key, tensor) = program.constant(value) {
      place = .weight(key, tensor)
    } else {
      place = .buffer(try program.buffer(of: value))
    }
  }

  /// From the matrix `[taps * C / groups, O]`, packed or not: turned when the weights are written, or by a copy in front.
  init(
    matrix value: ValueID, kernel: [Int], channels: Int, _ program: ProgramBuilder, site: String
  ) throws(Diagnostic) {
    let type = try program.tensorType(value)
    guard let matrix = type.constantShape, let storage = type.element.storage else {
      throw .unsupported("conv on filters \(type) has no code yet")
    }
    let (rows, columns) = (matrix[0], matrix[1])
    self.value = value
    element = storage
    shape = [columns] + kernel + [channels]
    if let (key, tensor) = program.constant(value) {
      let dense = tensor.layout == nil ? tensor : Tensor(storage, matrix, doubles: tensor.doubles())
      let turned = dense.gathered([columns, rows], strides: [1, columns])
      place = .weight(key.derived("filters"), turned)
      return
    }
    guard type.layout == nil else { throw .unsupported("conv on packed filters that are no weights has no code yet") }
    let target = try program.allocate(TensorType(storage, [Dim(columns), Dim(rows)]), "filters")
    try program.emitCopy(
      [Dim(columns), Dim(rows)],
      from: TensorView(try program.buffer(of: value), storage, strides: [1, Dim(columns)]),
      to: TensorView(target, storage, strides: [Dim(rows), 1]), site: site)
    place = .buffer(target)
  }

  /// With zeros behind each tap's channels.
  func padded(_ source: Tensor, taps: Int, from channels: Int, to depth: Int) throws(Diagnostic) -> Tensor {
    let width = element.bits / 8
    let runs = shape[0] * taps
    let bytes = ByteView(count: runs * depth * width) { target in
      source.bytes.withBytes { bytes in
        for run in 0..<runs {
          for byte in 0..<(channels * width) {
            target[run * depth * width + byte] = bytes[run * channels * width + byte]
          }
        }
      }
    }
    return try Tensor(element: .plain(element), shape: [shape[0], taps * depth], bytes: bytes)
  }
}
