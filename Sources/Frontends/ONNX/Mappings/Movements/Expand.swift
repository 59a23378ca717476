import IR
import Support

extension ONNXMapping {
  /// `Expand`: both shapes broadcast, so that a target of 1 leaves an extent alone.
  static let expand = ONNXMapping(["Expand"], 8...newest, inputs: 2...2) { c throws(Diagnostic) in
    let (x, target) = (try c.input(0), try c.input(1))
    let shape = try c.shape(x)
    if let wanted = c.dims(target) { return [try c.broadcast(x, try c.broadcastShape(shape, wanted))] }
    // At run time a known extent other than 1 stays; others take what is asked for.
    let count = try c.listLength(target)
    let asked = try c.extents(of: target, "extent")
    let skipped = max(count - shape.count, 0)
    var dims = Array(shape.prefix(max(shape.count - count, 0)))
    for (number, extent) in asked.enumerated() {
      let own = number < skipped ? Dim(1) : shape[shape.count - count + number]
      dims.append(own.constant == 1 ? extent : own)
    }
    return [try c.broadcast(x, dims)]
  }
}
