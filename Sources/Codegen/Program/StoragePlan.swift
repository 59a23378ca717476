import IR
import Support

/// Which results are written straight into the result of a concat, so that nothing has to be copied.
///
/// Decided before anything is lowered, from the last concat to the first: a concat's result may itself be a part of a
/// later one's. Nothing depends on a result being placed in fact; a concat copies what is not where it belongs.
struct StoragePlan {
  /// A place in the result of a concat.
  struct Part: Hashable {
    var whole: ValueID
    /// In elements.
    var offset: Int
    var strides: [Dim]
  }

  /// How the elements of a tensor follow each other in memory.
  enum Lie: Hashable {
    case dense
    /// Runs of `width` elements, `pitch` apart.
    case rows(width: Int, pitch: Int)

    /// Nil for strides that are neither.
    init?(_ shape: [Dim], _ strides: [Dim]) {
      let runs = Lie.runs(shape, strides)
      switch runs.count {
      case 0: self = .dense
      case 1 where runs[0].stride == 1: self = .dense
      case 1:
        guard let pitch = runs[0].stride.constant, pitch > 0 else { return nil }
        self = .rows(width: 1, pitch: pitch)
      case 2 where runs[1].stride == 1:
        guard let width = runs[1].extent.constant, let pitch = runs[0].stride.constant, pitch >= width else {
          return nil
        }
        self = .rows(width: width, pitch: pitch)
      default: return nil
      }
    }

    /// Extents and strides without axes of one element, neighbours merged where one step follows from the other.
    static func runs(_ shape: [Dim], _ strides: [Dim]) -> [(extent: Dim, stride: Dim)] {
      var runs: [(extent: Dim, stride: Dim)] = []
      for (extent, stride) in zip(shape, strides) where extent != 1 {
        if let last = runs.last, last.stride == stride * extent {
          runs[runs.count - 1] = (last.extent * extent, stride)
        } else {
          runs.append((extent, stride))
        }
      }
      return runs
    }
  }

  private(set) var parts: [ValueID: Part] = [:]
  /// Why operands of concats are not written in place: by the concat and the operand's number.
  private(set) var refusals: [OpID: [Int: String]] = [:]
  private let function: Function
  /// Where ops stand in the entry, and the first ones that mention a symbol which no input tells.
  private var order: [OpID: Int] = [:]
  private var mentioned: [String: Int] = [:]

  init(_ function: Function) {
    self.function = function
    for (number, op) in function.ops(in: function.body).enumerated() {
      order[op] = number
      for result in function[op].results {
        for symbol in StoragePlan.symbols(of: function[result].fact) { mentioned[symbol] = mentioned[symbol] ?? number }
      }
    }
    for argument in function[function.body].arguments {
      for symbol in StoragePlan.symbols(of: function[argument].fact) { mentioned[symbol] = nil }
    }
    for op in function.ops(in: function.body).reversed() {
      if let concat = function[op].kind as? Concat { plan(concat, op) }
    }
  }

  private static func symbols(of fact: ValueFact) -> Set<String> {
    ((fact.type.tensor?.shape ?? []) + (fact.elements ?? [])).reduce(into: []) { $0.formUnion($1.symbols) }
  }

  /// Whether the extents of `whole` are known by the time that `writer` runs.
  private func isSized(_ whole: ValueID, by writer: OpID) -> Bool {
    guard let place = order[writer] else { return false }
    return (function.tensorType(whole)?.shape ?? []).allSatisfy { dim in
      dim.symbols.allSatisfy { (mentioned[$0] ?? -1) < place }
    }
  }

  private mutating func plan(_ concat: Concat, _ op: OpID) {
    let operation = function[op]
    let result = operation.results[0]
    guard let type = function.tensorType(result), let element = type.element.storage, type.layout == nil,
      element.bits >= 8, element != .string, !type.shape.contains(0)
    else { return }
    let axis = concat.axis < 0 ? concat.axis + type.rank : concat.axis
    if parts[result] == nil, let (larger, offset) = larger(than: op, axis) { parts[result] = within(larger, offset) }
    let own = parts[result] ?? Part(whole: result, offset: 0, strides: rowMajorStrides(type.shape))
    var start = 0
    var number = 0
    while number < operation.operands.count {
      guard let operand = operation.operands[number], let shape = function.tensorType(operand)?.shape,
        let extent = shape[axis].constant, let stride = own.strides[axis].constant
      else { return }
      let part = Part(whole: own.whole, offset: own.offset + start * stride, strides: own.strides)
      if let (source, count) = sliced(operation.operands, at: number, axis),
        let whole = function.tensorType(source)?.shape, let length = whole[axis].constant,
        take(source, whole, part) == nil
      {
        // All of a tensor, slice by slice: the tensor itself is written here.
        number += count
        start += length
        continue
      }
      if let reason = take(operand, shape, part) { refusals[op, default: [:]][number] = reason }
      number += 1
      start += extent
    }
  }

  /// A place inside of what is a part itself, or a whole.
  private func within(_ value: ValueID, _ offset: Int) -> Part? {
    guard let type = function.tensorType(value) else { return nil }
    if let part = parts[value] { return Part(whole: part.whole, offset: part.offset + offset, strides: part.strides) }
    return Part(whole: value, offset: offset, strides: rowMajorStrides(type.shape))
  }

  /// Gives a value its place, or says why not.
  private mutating func take(_ value: ValueID, _ shape: [Dim], _ part: Part) -> String? {
    guard let writer = function.definingOp(value), function[writer].block == function.body else {
      return "no op of this entry computes it"
    }
    guard let lie = Lie(shape, part.strides) else { return "its part is no rows of equal distance" }
    guard isSized(part.whole, by: writer) else { return "the size of the whole comes to light later" }
    let kind = function[writer].kind
    var part = part
    if lie == .dense {
      guard function.tensorType(value)?.constantBytes != nil else { return "only the run tells its size" }
      if kind is Reshape, let source = function[writer].operands[0], let type = function.tensorType(source) {
        // Another name of what then is to be written here.
        part.strides = rowMajorStrides(type.shape)
        return take(source, type.shape, part)
      }
      part.strides = rowMajorStrides(shape)
    }
    if let known = parts[value] { return known == part ? nil : "it is written into another concat" }
    if lie == .dense {
      guard kind is Fusion || function[writer].regions.isEmpty else { return "\(kind.mnemonic) owns its results" }
    } else {
      guard writesRows(value) else { return "\(kind.mnemonic) writes no rows" }
      if let reason = refusal(of: value, shape, part.strides) { return reason }
    }
    parts[value] = part
    return nil
  }

  /// `yield` of a fused region is written where the fusion's result goes.
  mutating func give(_ yield: ValueID, thePlaceOf result: ValueID) {
    if let part = parts[result] { parts[yield] = part }
  }

  /// A later concat along the same axis that has all operands of this one side by side.
  private func larger(than op: OpID, _ axis: Int) -> (result: ValueID, offset: Int)? {
    let operation = function[op]
    guard let first = operation.operands.first, let first, operation.operands.count > 1 else { return nil }
    var best: (result: ValueID, offset: Int, count: Int)?
    for use in function[first].uses {
      guard case .operand(let other, let number) = use, other != op, function[other].block == function.body,
        let kind = function[other].kind as? Concat, let shape = function.tensorType(function[other].results[0])?.shape,
        (kind.axis < 0 ? kind.axis + shape.count : kind.axis) == axis
      else { continue }
      let operands = function[other].operands
      guard operands.count > operation.operands.count, operands.count > best?.count ?? 0,
        operands[number...].starts(with: operation.operands)
      else { continue }
      let result = function[other].results[0]
      let strides = parts[result]?.strides ?? rowMajorStrides(shape)
      var start = Dim(0)
      for operand in operands[..<number] {
        guard let operand, let extents = function.tensorType(operand)?.shape else { return nil }
        start = start + extents[axis]
      }
      guard let offset = (start * strides[axis]).constant,
        let own = function.tensorType(operation.results[0])?.shape, let lie = Lie(own, strides)
      else { continue }
      guard lie == .dense || refusal(of: operation.results[0], own, strides) == nil else { continue }
      best = (result, offset, operands.count)
    }
    return best.map { ($0.result, $0.offset) }
  }

  /// The tensor that the operands from `number` on are all slices of, in order, and how many they are.
  private func sliced(
    _ operands: [ValueID?], at number: Int, _ axis: Int
  ) -> (source: ValueID, count: Int)? {
    var source: ValueID?
    var end = Dim(0)
    for (count, operand) in operands[number...].enumerated() {
      guard let operand, let op = function.definingOp(operand), let slice = function[op].kind as? Slice,
        let x = function[op].operands[0], source ?? x == x, let shape = function.tensorType(x)?.shape
      else { return nil }
      source = x
      for other in shape.indices {
        guard slice.starts[other] == (other == axis ? end : 0), slice.steps[other] == 1,
          other == axis || slice.sizes[other] == shape[other]
        else { return nil }
      }
      end = end + slice.sizes[axis]
      if end == shape[axis] { return (x, count + 1) }
    }
    return nil
  }

  // MARK: Who can

  /// Whether the op that computes a value can write it in rows.
  private func writesRows(_ value: ValueID) -> Bool {
    guard case .result(let op, let number) = function[value].definition else { return false }
    if function[op].kind is Fusion {
      let yield = function[function[op].regions[0]].yields[number]
      guard let inner = function.definingOp(yield), function[inner].block == function[op].regions[0] else {
        return false
      }
      return writesRows(yield)
    }
    return (function[op].kind as? any OpLowering)?.writesRows ?? false
  }

  private func isContraction(_ op: OpID) -> Bool { function[op].kind is MatMul || function[op].kind is Conv }

  /// The reader of a value that cannot read it with such strides; nil if all can.
  func refusal(of value: ValueID, _ shape: [Dim], _ strides: [Dim]) -> String? {
    let needed = rowPitch(strides, shape) == nil ? OperandReading.strides : .rows
    for use in function[value].uses.sorted(by: { $0.order < $1.order }) {
      guard case .operand(let op, let number) = use else { return "it is a result" }
      switch function[op].kind {
      case is Fusion:
        let region = function[op].regions[0]
        // What a contraction is followed by must not keep its batches from being rows of one product.
        if needed > .rows, function.ops(in: region).contains(where: isContraction) { return "a contraction reads it" }
        if let reason = refusal(of: function[region].arguments[number], shape, strides) { return reason }
      case is Reshape:
        let result = function[op].results[0]
        guard let target = function.tensorType(result)?.shape,
          let reshaped = reshapedStrides(strides, from: shape, to: target)
        else { return "\(function[op].kind.mnemonic) reads it" }
        if let reason = refusal(of: result, target, reshaped) { return reason }
      default:
        let reading = (function[op].kind as? any OpLowering)?.reading(number) ?? .dense
        if reading < needed { return "\(function[op].kind.mnemonic) reads it" }
      }
    }
    return nil
  }
}

extension Use {
  /// Uses are kept in a set; what is reported must not depend on its order.
  fileprivate var order: (Int, Int, Int) {
    switch self {
    case .operand(let op, let number): (0, op.number, number)
    case .yield(let block, let number): (1, block.number, number)
    }
  }
}
