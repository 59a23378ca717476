import Formats
import IR
import Support

// Parameters for blocks along an axis: stretched to one an element, then plain arithmetic.

extension ONNXNodeContext {
  func hasBlocks(_ scale: ValueID) throws(Diagnostic) -> Bool {
    let size = try int("block_size", default: 0)
    return try rank(scale) > 1 ? true : size != 0
  }

  /// One parameter for each element of `x`, of one for each block of `block_size` along `axis`.
  private func stretched(_ parameters: ValueID, over x: ValueID) throws(Diagnostic) -> ValueID {
    let shape = try shape(x)
    let own = try self.shape(parameters)
    guard own.count == shape.count else { throw .invalid("the scales have \(own.count) axes, x has \(shape.count)") }
    let axis = try axis(try int("axis", default: 1), rank: shape.count)
    let block = try int("block_size", default: 0)
    if block == 0 { return parameters }
    guard block > 0 else { throw .invalid("block_size is \(block)") }
    let split = Array(own[...axis]) + [1] + own[(axis + 1)...]
    var wide = split
    wide[axis + 1] = Dim(block)
    var joined = own
    joined[axis] = own[axis] * block
    let all = try reshape(try broadcast(try reshape(parameters, split), wide), joined)
    // The last block may be cut short.
    return try slice(all, axis: axis, start: 0, size: shape[axis])
  }

  func blockDequantized(
    _ x: ValueID, _ scale: ValueID, _ zero: ValueID?, _ target: ElementType
  ) throws(Diagnostic) -> ValueID {
    var value = try cast(x, to: .f32)
    if let zero { value = try binary(.sub, value, try cast(try stretched(zero, over: x), to: .f32)) }
    return try cast(try binary(.mul, value, try cast(try stretched(scale, over: x), to: .f32)), to: target)
  }

  func blockQuantized(
    _ x: ValueID, _ scale: ValueID, _ zero: ValueID?, _ stored: ElementType
  ) throws(Diagnostic) -> ValueID {
    let quotient = try binary(.div, try cast(x, to: .f32), try cast(try stretched(scale, over: x), to: .f32))
    guard let range = stored.integerRange, stored.bits <= 16 else {
      guard stored.isFloat, zero.flatMap({ tensor($0) })?.doubles().allSatisfy({ $0 == 0 }) ?? (zero == nil) else {
        throw .unsupported("quantization by blocks to \(stored.rawValue) is not supported")
      }
      return try add(Cast(to: stored), quotient)
    }
    var units = try unary(.round, quotient)
    if let zero { units = try binary(.add, units, try cast(try stretched(zero, over: x), to: .f32)) }
    let low = try number(Double(range.lowerBound), like: units)
    let high = try number(Double(range.upperBound), like: units)
    return try cast(try binary(.minimum, try binary(.maximum, units, low), high), to: stored)
  }
}
