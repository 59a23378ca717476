import IR
import Support

// The format has channels before the spatial axes; the image ops of the graph have them last.

extension ONNXNodeContext {
  /// `[N, C, spatial...]` as `[N, spatial..., C]`; filters `[O, C, kernel...]` likewise.
  func channelsLast(_ x: ValueID) throws(Diagnostic) -> ValueID {
    let rank = try rank(x)
    guard rank >= 3 else { return x }
    return try transpose(x, [0] + Array(2..<rank) + [1])
  }

  /// `[N, spatial..., C]` as `[N, C, spatial...]`.
  func channelsFirst(_ x: ValueID) throws(Diagnostic) -> ValueID {
    let rank = try rank(x)
    guard rank >= 3 else { return x }
    return try transpose(x, [0, rank - 1] + Array(1..<rank - 1))
  }

  /// The type of an image with one to three spatial axes.
  func image(_ x: ValueID) throws(Diagnostic) -> TensorType {
    let type = try type(x)
    guard (3...5).contains(type.rank) else {
      throw .unsupported("the image is \(type); one to three spatial axes are supported")
    }
    return type
  }
}
