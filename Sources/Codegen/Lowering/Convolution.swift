import IR

/// A convolution to be lowered, with everything the generators ask of it.
struct Convolution {
  var op: OpID
  var followedBy: [OpID]
  var result: ValueID
  var bias: ValueID?
  var site: String
  var multiplication: Multiplication
  var image: TensorType
  /// Where the image lies, and the elements from one pixel to the next.
  var pixels: (buffer: BufferID, pitch: Int)
  var filters: Filters
  var channels: Int
  var groups: Int
  var geometry: WindowGeometry
  var sums: TensorType

  var spatial: Int { geometry.window.count }
  var taps: Int { geometry.window.reduce(1, *) }
  var groupChannels: Int { channels / groups }
  /// Filters of one group.
  var columns: Int { filters.shape[0] / groups }
  /// Each tap starts a new group of the summed axis, so that taps can be skipped.
  var depthPerTap: Int {
    let group = multiplication.group
    return (groupChannels + group - 1) / group * group
  }
  var isPadded: Bool { (geometry.before + geometry.after).contains { $0 > 0 } }
  /// A plain matrix product: every pixel by itself.
  var isPointwise: Bool { taps == 1 && groups == 1 && geometry.strides.allSatisfy { $0 == 1 } && !isPadded }

  /// Of the image, in elements.
  var imageStrides: [Dim] {
    var padded = image.shape
    padded[padded.count - 1] = Dim(pixels.pitch)
    return rowMajorStrides(padded)
  }

  /// The vertical and horizontal axis of an image of known size; nil where only the run knows it, or there are three.
  var axes: (vertical: WindowAxis, horizontal: WindowAxis)? {
    guard spatial <= 2 else { return nil }
    var axes: [WindowAxis] = []
    for axis in 0..<spatial {
      guard let input = image.shape[axis + 1].constant, let output = sums.shape[axis + 1].constant else { return nil }
      axes.append(
        WindowAxis(
          input: input, output: output, window: geometry.window[axis], stride: geometry.strides[axis],
          dilation: geometry.dilations[axis], before: geometry.before[axis]))
    }
    return spatial == 2 ? (axes[0], axes[1]) : (.single, axes[0])
  }
}
