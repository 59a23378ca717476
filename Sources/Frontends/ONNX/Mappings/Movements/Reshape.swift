import IR
import Support

extension ONNXMapping {
  /// `Reshape`: 0 keeps an extent unless `allowzero` says it means zero, -1 takes what is left.
  static let reshape = ONNXMapping(["Reshape"], 5...newest, inputs: 2...2, attributes: ["allowzero"]) {
    c throws(Diagnostic) in
    let (x, target) = (try c.input(0), try c.input(1))
    let allowZero = try c.flag("allowzero", default: false)
    if let wanted = c.dims(target) { return [try c.reshape(x, try c.resolved(wanted, of: try c.shape(x), allowZero))] }
    return [try c.reshape(x, try c.computedExtents(target, of: try c.shape(x), allowZero))]
  }
}

extension ONNXNodeContext {
  fileprivate func resolved(_ wanted: [Dim], of shape: [Dim], _ allowZero: Bool) throws(Diagnostic) -> [Dim] {
    var result = wanted
    var open: Int?
    for (axis, dim) in wanted.enumerated() {
      if dim.constant == 0, !allowZero {
        guard axis < shape.count else {
          throw .invalid("extent \(axis) of shape \(wanted) is 0, but x has \(shape.count) axes")
        }
        result[axis] = shape[axis]
      } else if let value = dim.constant, value < 0 {
        guard value == -1, open == nil else { throw .invalid("the shape \(wanted) is not usable") }
        open = axis
      }
    }
    guard let open else { return result }
    // Extents that stay cancel, so that a zero among them does no harm.
    var (count, others) = (shape, result)
    others.remove(at: open)
    for dim in others {
      if let match = count.firstIndex(of: dim) {
        count.remove(at: match)
        if let index = others.firstIndex(of: dim) { others.remove(at: index) }
      }
    }
    let product = others.reduce(Dim(1), *)
    guard product.constant != 0 else { throw .invalid("-1 in the shape \(wanted) can be anything") }
    let total = count.reduce(Dim(1), *)
    if let all = total.constant, let each = product.constant, all % each != 0 {
      throw .invalid("\(shape) does not reshape to \(wanted)")
    }
    result[open] = total.floorDivided(by: product)
    return result
  }

  /// The extents of a shape that is only known at run time.
  fileprivate func computedExtents(_ target: ValueID, of shape: [Dim], _ allowZero: Bool) throws(Diagnostic) -> [Dim] {
    let count = try listLength(target)
    var list = try cast(target, to: .i64)
    if !allowZero {
      let kept = Array(shape.prefix(count)) + Array(repeating: Dim(0), count: max(count - shape.count, 0))
      list = try select(try compare(.equal, list, try scalar(0)), try dimensions(kept), list)
    }
    let isOpen = try compare(.equal, list, try scalar(-1))
    let others = try reduce(.prod, try select(isOpen, try scalar(1), list), axes: [0], keepDims: false)
    let total = try dimension(shape.reduce(Dim(1), *))
    // An empty tensor leaves nothing for the open extent, whatever the others are.
    let rest = try binary(.div, total, try binary(.maximum, others, try scalar(1)))
    return try extents(of: try select(isOpen, rest, list), "extent")
  }
}
