import IR
import Support

extension ONNXMapping {
  static let signals: [ONNXMapping] = [fourierByAttribute, fourier, shortTimeFourier]

  /// Before opset 20 the axis was an attribute.
  static let fourierByAttribute = ONNXMapping(
    ["DFT"], 17...19, inputs: 1...2, attributes: ["axis", "inverse", "onesided"]
  ) { c throws(Diagnostic) in
    [try c.discreteFourier(axis: try c.int("axis", default: 1))]
  }

  static let fourier = ONNXMapping(["DFT"], 20...newest, inputs: 1...3, attributes: ["inverse", "onesided"]) {
    c throws(Diagnostic) in
    let axis = try c.constantIntegers(2, "axis")?.first ?? -2
    return [try c.discreteFourier(axis: axis)]
  }

  static let shortTimeFourier = ONNXMapping(["STFT"], 17...newest, inputs: 2...4, attributes: ["onesided"]) {
    c throws(Diagnostic) in
    let signal = try c.input(0)
    let type = try c.type(signal)
    guard type.rank == 3 || type.rank == 2 else { throw .invalid("the signal is \(type), expected three axes") }
    guard let step = try c.constantIntegers(1, "frame_step")?.first, (1...(1 << 24)).contains(step) else {
      throw .invalid("frame_step is no positive number")
    }
    let window = c.optionalInput(2)
    var length = try c.constantIntegers(3, "frame_length")?.first
    if length == nil, let window { length = try c.shape(window).first?.constant }
    if length == nil { length = type.shape[1].constant }
    guard let length, (1...FourierTransform.longest).contains(length) else {
      throw .unsupported("frames of an open length are not supported")
    }
    let parts = type.rank == 3 ? type.shape[2] : 1
    let frames = (type.shape[1] - length).floorDivided(by: Dim(step)) + 1
    // Which elements each frame has: gathered, since frames overlap.
    let starts = try c.binary(
      .mul, try c.reshape(try c.iota(frames), [frames, 1]), try c.scalar(step))
    let indices = try c.binary(.add, starts, try c.reshape(try c.iota(Dim(length)), [1, Dim(length)]))
    let whole = try c.reshape(signal, [type.shape[0], type.shape[1], parts])
    var picked = try c.add(Gather(axis: 1), whole, indices)
    if let window { picked = try c.binary(.mul, picked, try c.reshape(window, [Dim(length), 1])) }
    let isOneSided = try c.flag("onesided", default: true) && parts.constant == 1
    let bins = isOneSided ? length / 2 + 1 : length
    let rows = type.shape[0] * frames
    let transform = FourierTransform(context: c, isInverse: false, element: try c.element(signal))
    let result = try transform.transform(
      try c.reshape(picked, [rows, Dim(length), parts]), n: length, bins: bins)
    return [try c.reshape(result, [type.shape[0], frames, Dim(bins), 2])]
  }
}

extension ONNXNodeContext {
  fileprivate func discreteFourier(axis number: Int) throws(Diagnostic) -> ValueID {
    let x = try input(0)
    let shape = try shape(x)
    let axis = try self.axis(number, rank: shape.count)
    guard shape.count >= 2, axis < shape.count - 1, let parts = shape[shape.count - 1].constant else {
      throw .invalid("the signal is \(try type(x)), which has no axis \(number) to transform")
    }
    let (isInverse, isOneSided) = (try flag("inverse", default: false), try flag("onesided", default: false))
    let toReal = isInverse && isOneSided
    var length = try constantIntegers(1, "dft_length")?.first
    if length == nil, let extent = shape[axis].constant { length = toReal ? 2 * (extent - 1) : extent }
    guard let n = length, (1...FourierTransform.longest).contains(n) else {
      throw .unsupported("a transform along \(shape[axis]) elements is not supported")
    }
    // Rows along the axis, of as many elements as are transformed.
    let last = shape.count - 1
    let order = shape.indices.filter { $0 != axis && $0 != last } + [axis, last]
    let rows = order.dropLast(2).reduce(Dim(1)) { $0 * shape[$1] }
    var signal = try reshape(try transpose(x, order), [rows, shape[axis], Dim(parts)])
    let element = try element(x)
    if toReal {
      signal = try mirrored(signal, extent: shape[axis], n: n)
    } else {
      signal = try fitted(signal, extent: shape[axis], n: n)
    }
    let transform = FourierTransform(context: self, isInverse: isInverse, element: element)
    let bins = isOneSided && !isInverse ? n / 2 + 1 : n
    var result = try transform.transform(signal, n: n, bins: bins)
    if toReal { result = try slice(result, axis: 2, start: 0, size: 1) }
    let outer = order.dropLast(2).map { shape[$0] }
    result = try reshape(result, outer + [Dim(bins), toReal ? 1 : 2])
    return try transpose(result, inverse(order))
  }

  /// Cut, or filled up with zeros, to `n` elements.
  private func fitted(_ x: ValueID, extent: Dim, n: Int) throws(Diagnostic) -> ValueID {
    if extent == Dim(n) { return x }
    guard let count = extent.constant else {
      throw .unsupported("a transform of \(n) of \(extent) elements is not supported")
    }
    if count > n { return try slice(x, axis: 1, start: 0, size: Dim(n)) }
    return try add(Pad(before: [0, 0, 0], after: [0, n - count, 0]), x)
  }

  /// All `n` elements of the transform of a real signal, of which the first half is given.
  private func mirrored(_ x: ValueID, extent: Dim, n: Int) throws(Diagnostic) -> ValueID {
    let half = n / 2 + 1
    let first = try fitted(x, extent: extent, n: half)
    let rest = n - half
    guard rest > 0 else { return first }
    // Element n - k is the conjugate of element k.
    let turned = try slice(first, axis: 1, start: Dim(rest), size: Dim(rest), step: -1)
    let signs = try constant(Tensor(try element(x), [2], doubles: [1, -1]))
    return try concat([first, try binary(.mul, turned, signs)], axis: 1)
  }

  private func inverse(_ permutation: [Int]) -> [Int] {
    var result = permutation
    for (place, source) in permutation.enumerated() { result[source] = place }
    return result
  }
}
