import IR
import Support

extension ONNXMapping {
  static let signals: [ONNXMapping] = [fourierByAttribute, fourier, shortTimeFourier, melWeights]

  /// Before opset 20 the axis was an attribute.
  static let fourierByAttribute = ONNXMapping(
    ["DFT"], 17...19, inputs: 1...2, attributes: ["axis", "inverse", "onesided"]
  ) { c throws(Diagnostic) in
    [try c.discreteFourier(axis: try c.int("axis", default: 1))]
  }

  static let fourier = ONNXMapping(["DFT"], 20...newest, inputs: 1...3, attributes: ["inverse", "onesided"]) {
    c throws(Diagnostic) in
    guard let axis = c.optionalInput(2) else { return [try c.discreteFourier(axis: -2)] }
    if let known = c.integers(axis)?.first { return [try c.discreteFourier(axis: known)] }
    return [try c.discreteFourier(computedAxis: axis)]
  }

  static let shortTimeFourier = ONNXMapping(["STFT"], 17...newest, inputs: 2...4, attributes: ["onesided"]) {
    c throws(Diagnostic) in
    let signal = try c.input(0)
    let type = try c.type(signal)
    guard type.rank == 3 || type.rank == 2 else { throw .invalid("the signal is \(type), expected three axes") }
    let step = try c.reshape(try c.cast(try c.input(1), to: .i64), [])
    let window = c.optionalInput(2)
    let length: Dim
    if let given = c.optionalInput(3) {
      length = try c.extent(of: given, "frame")
    } else if let window, let extent = try c.shape(window).first {
      length = extent
    } else {
      length = type.shape[1]
    }
    let parts = type.rank == 3 ? type.shape[2] : 1
    let frames: Dim
    if let known = c.integers(step)?.first {
      guard (1...(1 << 24)).contains(known) else { throw .invalid("frame_step is \(known), no positive number") }
      frames = (type.shape[1] - length).floorDivided(by: Dim(known)) + 1
    } else {
      let last = try c.binary(.div, try c.dimension(type.shape[1] - length), step)
      frames = try c.extent(of: try c.binary(.add, last, try c.scalar(1)), "frames")
    }
    // Which elements each frame has: gathered, since frames overlap.
    let starts = try c.binary(.mul, try c.reshape(try c.iota(frames), [frames, 1]), step)
    let indices = try c.binary(.add, starts, try c.reshape(try c.iota(length), [1, length]))
    let whole = try c.reshape(signal, [type.shape[0], type.shape[1], parts])
    var picked = try c.add(Gather(axis: 1), whole, indices)
    if let window { picked = try c.binary(.mul, picked, try c.reshape(window, [length, 1])) }
    let isOneSided = try c.flag("onesided", default: true) && parts.constant == 1
    let bins = isOneSided ? length.floorDivided(by: 2) + 1 : length
    let rows = type.shape[0] * frames
    let transform = FourierTransform(context: c, isInverse: false, element: try c.element(signal))
    let result = try transform.transform(try c.reshape(picked, [rows, length, parts]), n: length, bins: bins)
    return [try c.reshape(result, [type.shape[0], frames, bins, 2])]
  }
}

extension ONNXNodeContext {
  fileprivate func discreteFourier(axis number: Int) throws(Diagnostic) -> ValueID {
    let x = try input(0)
    let shape = try shape(x)
    let axis = try self.axis(number, rank: shape.count)
    guard shape.count >= 2, axis < shape.count - 1 else {
      throw .invalid("the signal is \(try type(x)), which has no axis \(number) to transform")
    }
    // Rows along the axis, of as many elements as are transformed.
    let last = shape.count - 1
    let order = shape.indices.filter { $0 != axis && $0 != last } + [axis, last]
    let rows = order.dropLast(2).reduce(Dim(1)) { $0 * shape[$1] }
    let signal = try reshape(try transpose(x, order), [rows, shape[axis], shape[last]])
    let result = try transformedRows(signal)
    let outer = order.dropLast(2).map { shape[$0] }
    return try transpose(try reshape(result, outer + (try self.shape(result)).dropFirst()), inverse(order))
  }

  /// Along an axis that only the run knows: between what stands before and behind it.
  fileprivate func discreteFourier(computedAxis axis: ValueID) throws(Diagnostic) -> ValueID {
    let x = try input(0)
    let shape = try shape(x)
    guard shape.count >= 2, let parts = shape.last else { throw .invalid("the signal is \(try type(x))") }
    let places = Array(shape.dropLast())
    // The axis of the parts counts where one counts from the end.
    let number = try reshape(try counted(axis, in: Dim(shape.count)), [])
    let (outer, along, inner) = try outerAndInner(places, axis: number)
    let cut = try transpose(try reshape(x, [outer, along, inner, parts]), [0, 2, 1, 3])
    let result = try transformedRows(try reshape(cut, [outer * inner, along, parts]))
    let (bins, kept) = (try self.shape(result)[1], try self.shape(result)[2])
    let joined = try transpose(try reshape(result, [outer, inner, bins, kept]), [0, 2, 1, 3])
    let isAxis = try compare(.equal, try constant(Array(places.indices)), number)
    let extents = try select(isAxis, try dimension(bins), try dimensions(places))
    return try reshape(joined, try self.extents(of: extents, "extent") + [kept])
  }

  /// The transform of each row of `[rows, elements, parts]`.
  private func transformedRows(_ rows: ValueID) throws(Diagnostic) -> ValueID {
    let extent = try shape(rows)[1]
    let (isInverse, isOneSided) = (try flag("inverse", default: false), try flag("onesided", default: false))
    let toReal = isInverse && isOneSided
    let n: Dim
    if let given = optionalInput(1) {
      n = try self.extent(of: given, "length")
    } else {
      n = toReal ? (extent - 1) * 2 : extent
    }
    if let known = n.constant, !(1...FourierTransform.longest).contains(known) {
      throw .unsupported("a transform of \(known) elements is not supported")
    }
    let signal = toReal ? try mirrored(rows, n: n) : try fitted(rows, n: n)
    let transform = FourierTransform(context: self, isInverse: isInverse, element: try element(rows))
    let bins = isOneSided && !isInverse ? n.floorDivided(by: 2) + 1 : n
    let result = try transform.transform(signal, n: n, bins: bins)
    return toReal ? try slice(result, axis: 2, start: 0, size: 1) : result
  }

  /// Cut, or filled up with zeros, to `n` elements.
  private func fitted(_ x: ValueID, n: Dim) throws(Diagnostic) -> ValueID {
    let extent = try shape(x)[1]
    if extent == n { return x }
    let kept = minimum(extent, n)
    let cut = try slice(x, axis: 1, start: 0, size: kept)
    let missing = n - kept
    if missing.constant == 0 { return cut }
    if let count = missing.constant { return try add(Pad(before: [0, 0, 0], after: [0, count, 0]), cut) }
    return try surrounded(cut, axis: 1, 0, missing, by: try number(0, like: x))
  }

  /// All `n` elements of the transform of a real signal, of which the first half is given.
  private func mirrored(_ x: ValueID, n: Dim) throws(Diagnostic) -> ValueID {
    let half = n.floorDivided(by: 2) + 1
    let first = try fitted(x, n: half)
    let rest = n - half
    guard rest.constant != 0 else { return first }
    // Element n - k is the conjugate of element k.
    let turned = try slice(first, axis: 1, start: rest, size: rest, step: -1)
    let signs = try constant(Tensor(try element(x), [2], doubles: [1, -1]))
    return try concat([first, try binary(.mul, turned, signs)], axis: 1)
  }

  private func inverse(_ permutation: [Int]) -> [Int] {
    var result = permutation
    for (place, source) in permutation.enumerated() { result[source] = place }
    return result
  }
}
