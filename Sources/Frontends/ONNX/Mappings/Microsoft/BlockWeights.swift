import Formats
import IR
import Support

// Weights of a few bits with a scale for each block of them.

extension ONNXMapping {
  /// A product with rows of packed weights. They are spelled out as arithmetic on the packed numbers, which folds where
  /// weights may grow so much and runs in front of the product where not.
  static let matMulBits = ONNXMapping(
    ["MatMulNBits"], 1...newest, inputs: 3...6,
    attributes: ["K", "N", "accuracy_level", "bits", "block_size", "weight_prepacked"], domain: microsoftDomain
  ) { c throws(Diagnostic) in
    guard let depth = try c.int("K"), let rows = try c.int("N"), let block = try c.int("block_size"),
      (1...(1 << 30)).contains(depth), (1...(1 << 30)).contains(rows), (1...(1 << 20)).contains(block)
    else { throw .invalid("K, N or block_size is missing or out of range") }
    guard c.optionalInput(4) == nil else { throw .unsupported("g_idx, an order of the weights, is not supported") }
    guard try c.int("weight_prepacked", default: 0) == 0 else {
      throw .unsupported("weights that were packed for one machine are not supported")
    }
    let bits = try c.int("bits", default: 4)
    let blocks = (depth + block - 1) / block
    let (packed, scales) = (try c.input(1), try c.reshape(try c.input(2), [Dim(rows), Dim(blocks), 1]))
    let stored = try c.unpacked(packed, bits: bits, shape: [rows, blocks, block], name: c.node.inputs[1])
    var zero = try c.scalar(Double(1 << (bits - 1)), .f32)
    if let given = c.optionalInput(3) {
      if try c.element(given).isFloat {
        zero = try c.cast(try c.reshape(given, [Dim(rows), Dim(blocks), 1]), to: .f32)
      } else {
        let width = (blocks * bits + 7) / 8 * 8 / bits
        let all = try c.unpacked(given, bits: bits, shape: [rows, width], name: c.node.inputs[3])
        let own = try c.slice(all, axis: 1, start: 0, size: Dim(blocks))
        zero = try c.cast(try c.reshape(own, [Dim(rows), Dim(blocks), 1]), to: .f32)
      }
    }
    let a = try c.input(0)
    let element = try c.element(a)
    let centered = try c.binary(.sub, try c.cast(stored, to: .f32), zero)
    let values = try c.binary(.mul, centered, try c.cast(scales, to: .f32))
    let whole = try c.reshape(try c.cast(values, to: element), [Dim(rows), Dim(blocks * block)])
    let weights = try c.slice(whole, axis: 1, start: 0, size: Dim(depth))
    return [
      try c.matrixProduct(a, weights) { a, b throws(Diagnostic) in
        try c.numberProduct(a, b, bias: c.optionalInput(5), transposeRHS: true)
      }
    ]
  }

  /// Rows of a table of packed numbers, with the scales of their blocks.
  static let gatherBlocks = ONNXMapping(
    ["GatherBlockQuantized"], 1...newest, inputs: 3...4,
    attributes: ["bits", "block_size", "gather_axis", "quantize_axis"], domain: microsoftDomain
  ) { c throws(Diagnostic) in
    var (table, scales, zeros) = (try c.input(0), try c.input(2), c.optionalInput(3))
    let bits = try c.int("bits", default: 4)
    let rank = try c.rank(table)
    var zero = 0.0
    if try c.element(table) == .u8 {
      zero = Double(1 << (bits - 1))
      func whole(_ packed: ValueID, _ name: String) throws(Diagnostic) -> ValueID {
        guard bits < 8 else { return packed }
        var shape: [Int] = []
        for dim in try c.shape(packed) { shape.append(dim.constant ?? 0) }
        guard let last = shape.popLast() else { throw .invalid("the table is a scalar") }
        return try c.unpacked(packed, bits: bits, shape: shape + [last * 8 / bits], name: name)
      }
      table = try whole(table, c.node.inputs[0])
      if let given = zeros {
        let all = try whole(given, c.node.inputs[3])
        zeros = try c.slice(all, axis: rank - 1, start: 0, size: try c.shape(scales)[rank - 1])
      }
    }
    let gatherAxis = try c.axis(try c.int("gather_axis", default: 0), rank: rank)
    let axis = try c.axis(try c.int("quantize_axis", default: 1), rank: rank)
    let block = try c.int("block_size", default: 128)
    guard block > 0 else { throw .unsupported("block_size \(block) is not supported") }
    let element = try c.element(scales)
    let indices = try c.input(1)
    func picked(_ value: ValueID) throws(Diagnostic) -> ValueID {
      try c.add(Gather(axis: gatherAxis), value, indices)
    }
    if axis != gatherAxis {
      (table, scales) = (try picked(table), try picked(scales))
      zeros = try zeros.map(picked)
    }
    let place = axis <= gatherAxis ? axis : axis + (try c.rank(table)) - rank
    func stretched(_ parameters: ValueID) throws(Diagnostic) -> ValueID {
      let own = try c.shape(parameters)
      let apart = try c.reshape(parameters, Array(own[...place]) + [1] + own[(place + 1)...])
      let wide = try c.broadcast(apart, Array(own[...place]) + [Dim(block)] + own[(place + 1)...])
      var joined = own
      joined[place] = own[place] * block
      let all = try c.reshape(wide, joined)
      return try c.slice(all, axis: place, start: 0, size: try c.shape(table)[place])
    }
    var origin = try c.scalar(zero, .f32)
    if let zeros { origin = try stretched(try c.cast(zeros, to: .f32)) }
    let centered = try c.binary(.sub, try c.cast(table, to: .f32), origin)
    let values = try c.binary(.mul, centered, try stretched(try c.cast(scales, to: .f32)))
    let result = try c.cast(values, to: element)
    return [axis == gatherAxis ? try picked(result) : result]
  }
}

extension ONNXNodeContext {
  /// The numbers that the bytes of a constant hold, the first in the low bits.
  fileprivate func unpacked(_ value: ValueID, bits: Int, shape: [Int], name: String) throws(Diagnostic) -> ValueID {
    let elements: [Int: ElementType] = [2: .u2, 4: .u4, 8: .u8]
    guard let element = elements[bits] else { throw .unsupported("weights of \(bits) bits are not supported") }
    guard let weight = storedConstant(value) else { throw .unsupported("packed weights must be constant") }
    var count = 1
    for extent in shape {
      let (product, isLarge) = count.multipliedReportingOverflow(by: extent)
      guard !isLarge, product < 1 << 40 else { throw .invalid("packed weights of shape \(shape) are too many") }
      count = product
    }
    guard weight.storage == .u8, weight.bytes.count == (count * bits + 7) / 8 else {
      throw .invalid("the packed weights are \(weight.type), which hold no \(shape) numbers of \(bits) bits")
    }
    let numbers = try Tensor(element: .plain(element), shape: shape, bytes: weight.bytes)
    return try importer.weight(numbers, name: name)
  }
}
