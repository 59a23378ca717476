import IR
import Support

extension ONNXMapping {
  /// `LRN`: each element divided by a power of the squares around it in other channels. Their sum is a window that
  /// slides over the channels, with the image as what lies beside it.
  static let localResponse = ONNXMapping(
    ["LRN"], 1...newest, inputs: 1...1, attributes: ["alpha", "beta", "bias", "size"]
  ) { c throws(Diagnostic) in
    let x = try c.input(0)
    let shape = try c.shape(x)
    guard shape.count >= 2, let size = try c.int("size"), (1...(1 << 20)).contains(size) else {
      throw .invalid("attribute \"size\" is missing or out of range, or the image has no channels")
    }
    let squares = try c.reshape(try c.binary(.mul, x, x), [shape[0], shape[1], shape[2...].reduce(Dim(1), *)])
    let window = Pool(
      .average, window: [size], padding: [(size - 1) / 2, size / 2], countPadding: true)
    let mean = try c.reshape(try c.add(window, squares), shape)
    // The format divides alpha by the size, so that a mean takes the place of the sum.
    let scaled = try c.binary(.mul, mean, try c.number(try c.float("alpha", default: 0.0001), like: x))
    let base = try c.binary(.add, scaled, try c.number(try c.float("bias", default: 1), like: x))
    let power = try c.binary(.pow, base, try c.number(try c.float("beta", default: 0.75), like: x))
    return [try c.binary(.div, x, power)]
  }
}
