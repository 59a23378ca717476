import IR
import Support

/// The integers behind a value that is dequantized from them, with what moves elements on the way.
struct QuantizedSource {
  /// What is dequantized.
  let integers: ValueID
  let element: TensorElement
  let stored: ElementType
  let scales: [Float]
  let zeros: [Int]
  /// The axis of the integers along which parameters differ.
  let axis: Int?
  /// From the integers to the value, in order.
  let moves: [any OpKind]
  /// The weight that the integers are.
  let root: String?

  private static let depth = 4

  /// `throughPools` says that the greatest element of a window counts as moved; scales are positive.
  init?(_ value: ValueID, _ context: PassContext, throughPools: Bool = false) {
    var moves: [any OpKind] = []
    var current = value
    while true {
      guard let op = context.function.definingOp(current), let operand = context.operand(op, 0),
        moves.count <= Self.depth
      else { return nil }
      let kind = context.function[op].kind
      if kind is Dequantize {
        guard let type = context.function.tensorType(operand), let stored = type.element.storage,
          type.layout == nil, let found = Self.parameters(of: op, type, context)
        else { return nil }
        (integers, element, self.stored) = (operand, type.element, stored)
        (scales, zeros, axis) = (found.scales, found.zeroPoints, found.scales.count == 1 ? nil : found.axis)
        self.moves = moves.reversed()
        root = context.function.weightName(operand)
        return
      }
      let isPool = throughPools && (kind as? Pool)?.function == .max
      guard kind is Transpose || kind is Reshape || isPool else { return nil }
      moves.append(kind)
      current = operand
    }
  }

  /// The parameters that a type brings or that constant operands give.
  private static func parameters(
    of op: OpID, _ type: TensorType, _ context: PassContext
  ) -> QuantizationParameters? {
    if case .quantized(_, let name) = type.element {
      guard let own = context.inferenceContext.quantizations[name], own.scales.allSatisfy({ $0 > 0 }) else {
        return nil
      }
      return own
    }
    guard type.plain?.isInteger ?? false, let kind = context.kind(op, Dequantize.self),
      let scale = context.operand(op, 1).flatMap(context.constant), scale.storage == .f32
    else { return nil }
    var zeros = Array(repeating: 0, count: scale.count)
    if let operand = context.operand(op, 2) {
      guard let given = context.constant(operand), given.count == scale.count else { return nil }
      zeros = given.integers()
    }
    let scales = scale.doubles().map { Float($0) }
    guard !scales.isEmpty, scales.allSatisfy({ $0 > 0 && $0.isFinite }) else { return nil }
    let axis = kind.axis < 0 ? kind.axis + type.rank : kind.axis
    return QuantizationParameters(scales: scales, zeroPoints: zeros, axis: scales.count == 1 ? nil : axis)
  }

  /// The integers, plain and moved.
  func integers(before op: OpID, _ context: inout PassContext) throws(Diagnostic) -> ValueID {
    var value = integers
    if case .quantized = element { value = try context.insert(BitCast(to: stored), [value], before: op)[0] }
    for move in moves { value = try context.insert(move, [value], before: op)[0] }
    return value
  }
}

/// Quantized constants as signed bytes, in the shape in which a product takes them; without zero points where the numbers
/// fit bytes so.
struct IntegerWeights {
  let tensor: Tensor
  /// By channel.
  let scales: [Float]
  let sums: [Int]
  /// What stands for zero in each channel; empty where it is zero everywhere.
  let zeros: [Int]
  /// How many numbers each channel sums.
  let depth: Int

  /// More products might not fit 32 bits.
  private static let deepest = 1 << 15

  init?(_ source: QuantizedSource, channelAxis: Int, _ context: PassContext) {
    guard let constant = context.constant(source.integers), source.stored.isInteger, source.stored.bits <= 8 else {
      return nil
    }
    var shape = constant.shape
    // As plain integers with their zero point taken away, or what unsigned bytes have more than signed ones; then moved.
    var numbers = constant.integers()
    let plain = numbers
    var axis = source.axis
    if let axis {
      guard axis < shape.count, source.scales.count == shape[axis], source.zeros.count == shape[axis] else {
        return nil
      }
      let inner = shape[(axis + 1)...].reduce(1, *)
      for place in numbers.indices { numbers[place] -= source.zeros[place / inner % shape[axis]] }
    } else {
      for place in numbers.indices { numbers[place] -= source.zeros[0] }
    }
    let fits = numbers.allSatisfy { $0 >= -128 && $0 <= 127 }
    let shift = source.stored == .u8 ? 128 : 0
    if !fits { numbers = plain.map { $0 - shift } }
    var moved = Tensor(.i8, shape, integers: numbers)
    for move in source.moves {
      switch move {
      case let transpose as Transpose:
        let strides = rowMajorStrides(shape)
        moved = moved.gathered(
          transpose.permutation.map { shape[$0] }, strides: transpose.permutation.map { strides[$0] })
        axis = axis.flatMap { transpose.permutation.firstIndex(of: $0) }
      case let reshape as Reshape:
        let target = reshape.shape.compactMap(\.constant)
        guard target.count == reshape.shape.count, target.reduce(1, *) == moved.count else { return nil }
        if let old = axis {
          guard let new = Self.axis(old, of: shape, in: target) else { return nil }
          axis = new
        }
        moved = moved.reshaped(target)
      default: return nil
      }
      shape = moved.shape
    }
    guard channelAxis < shape.count, axis == nil || axis == channelAxis, moved.count > 0 else { return nil }
    let channels = shape[channelAxis]
    let inner = shape[(channelAxis + 1)...].reduce(1, *)
    guard moved.count / channels <= Self.deepest else { return nil }
    var sums = Array(repeating: 0, count: channels)
    for (place, number) in moved.integers().enumerated() { sums[place / inner % channels] += number }
    tensor = moved
    self.sums = sums
    depth = moved.count / channels
    func spread<Number>(_ values: [Number]) -> [Number] {
      values.count == 1 ? Array(repeating: values[0], count: channels) : values
    }
    zeros = fits ? [] : spread(source.zeros.map { $0 - shift })
    scales = spread(source.scales)
  }

  /// The axis of `target` that is axis `axis` of `shape`: as long, behind as many elements.
  private static func axis(_ axis: Int, of shape: [Int], in target: [Int]) -> Int? {
    let before = shape[..<axis].reduce(1, *)
    return target.indices.first { target[$0] == shape[axis] && target[..<$0].reduce(1, *) == before }
  }
}
