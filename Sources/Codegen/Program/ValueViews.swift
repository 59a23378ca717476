import IR
import Support

/// How values lie in memory that are not dense tensors of their own: pieces of concats, and slices that are read in
/// place. Whoever cannot read them so asks for a `buffer(of:)` and gets a copy.
extension ProgramBuilder {
  /// A value as a kernel reads it, with strides of its own.
  func view(of value: ValueID) throws(Diagnostic) -> TensorView {
    if let known = stridedView(of: value) { return known }
    return try TensorView(dense: try tensorType(value), try buffer(of: value))
  }

  /// An image or matrix as rows along its last axis: where they lie, and the elements from one to the next.
  func rows(of value: ValueID) throws(Diagnostic) -> (buffer: BufferID, pitch: Dim) {
    let shape = try tensorType(value).shape
    if let view = stridedView(of: value), let pitch = rowPitch(view.strides, shape) { return (view.buffer, pitch) }
    return (try buffer(of: value), shape[shape.count - 1])
  }

  /// Where a result goes, with strides: into the concat that wants it, or into memory of its own.
  func target(for value: ValueID) throws(Diagnostic) -> TensorView {
    if let part = storage.parts[value] { return try place(value, part) }
    return try TensorView(dense: try tensorType(value), try allocate(for: value))
  }

  /// The part of a concat's result that `value` is, as its memory from now on.
  func place(_ value: ValueID, _ part: StoragePlan.Part) throws(Diagnostic) -> TensorView {
    let type = try tensorType(value)
    let view = try TensorView(dense: type, try memory(ofWhole: part.whole))
    return try place(value, view, offset: part.offset, strides: part.strides, label: label(value))
  }

  /// Makes `value` what lies in `whole` from element `offset` on, `strides` apart.
  @discardableResult
  func place(
    _ value: ValueID, _ whole: TensorView, offset: Int, strides: [Dim], label: String
  ) throws(Diagnostic) -> TensorView {
    let shape = try tensorType(value).shape
    var part = whole
    part.offset = Dim(offset)
    part.strides = strides
    guard let view = try piece(of: part, shape, label: label) else { throw .bug("rows that no buffer can be") }
    if StoragePlan.Lie(shape, strides) == .dense { bind(value, to: view.buffer) } else { bind(value, to: view) }
    return view
  }

  /// A buffer for the tensor that `view` is of another buffer; nil where it is no stretch and no rows of it.
  func piece(of view: TensorView, _ shape: [Dim], label: String) throws(Diagnostic) -> TensorView? {
    let size = view.element.bits / 8
    guard size > 0, let offset = view.offset.constant, let lie = StoragePlan.Lie(shape, view.strides) else {
      return nil
    }
    var part = BufferPart(offset: offset * size)
    var parent = view.buffer
    // What lies in rows already is named by its place in what is dense.
    if case .alias(let target, let own) = buffers[parent.number].place, own.rows != nil {
      parent = target
      part.offset += own.offset
    }
    let count = shape.reduce(Dim(1), *)
    var bytes = count * size
    switch lie {
    case .dense:
      guard bytes.constant != nil else { return nil }
    case .rows(let width, let pitch):
      part.rows = BufferPart.Rows(width: width * size, pitch: pitch * size)
      guard let rows = count.exactlyDivided(by: Dim(width)) else { return nil }
      let span = rows * (pitch * size) - (pitch - width) * size
      bytes = span.constant == nil ? Dim.maximum(span, 0) : span
    }
    return TensorView(addBuffer(label, bytes: bytes, .alias(parent, part)), view.element, strides: view.strides)
  }

  /// Whether a value's bytes are those of `target` already.
  func isInPlace(_ value: ValueID, _ target: TensorView) throws(Diagnostic) -> Bool {
    let shape = try tensorType(value).shape
    guard let offset = target.offset.constant else { return false }
    let own = try view(of: value)
    let (a, b) = (buffers.part(of: own.buffer), buffers.part(of: target.buffer))
    return root(of: own.buffer) == root(of: target.buffer)
      && a.offset == b.offset + offset * (target.element.bits / 8)
      && shape.indices.allSatisfy { shape[$0] == 1 || own.strides[$0] == target.strides[$0] }
  }

  /// A dense copy of what lies in rows.
  func gathered(_ value: ValueID, _ view: TensorView) throws(Diagnostic) -> BufferID {
    let type = try tensorType(value)
    let copy = try allocate(type, "rows of \(label(value))")
    let bits = try view.element.bitPattern()
    try emitCopy(
      type.shape, from: TensorView(view.buffer, bits, strides: view.strides),
      to: TensorView(copy, bits, strides: rowMajorStrides(type.shape)), site: "rows of \(label(value))")
    return copy
  }
}

/// The elements from one row to the next, where a tensor lies in rows along its last axis that are equally far apart.
func rowPitch(_ strides: [Dim], _ shape: [Dim]) -> Dim? {
  guard let last = shape.last, last == 1 || strides.last == 1 else { return nil }
  var pitch: Dim?
  var next = Dim(1)
  for axis in shape.indices.dropLast().reversed() where shape[axis] != 1 {
    if let pitch, strides[axis] != pitch * next { return nil }
    pitch = pitch ?? strides[axis]
    next = next * shape[axis]
  }
  return pitch ?? last
}

/// The strides under another shape of the same elements; nil where no strides say so.
func reshapedStrides(_ strides: [Dim], from shape: [Dim], to target: [Dim]) -> [Dim]? {
  var runs = StoragePlan.Lie.runs(shape, strides)
  var result = target.map { _ in Dim(0) }
  var run = runs.popLast()
  var done = Dim(1)
  for axis in target.indices.reversed() {
    result[axis] = (run?.stride ?? 1) * done
    if target[axis] == 1 { continue }
    guard let current = run else { return nil }
    done = done * target[axis]
    if done == current.extent {
      run = runs.popLast()
      done = 1
    }
  }
  return run == nil ? result : nil
}
