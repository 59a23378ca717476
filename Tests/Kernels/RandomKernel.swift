@testable import Codegen
import TestSupport

/// Kernels made of random statements that are valid and in bounds by construction.
///
/// NaN payloads are the one thing that machines may disagree on, so float bits
/// never become integers, and bits of bf16 rounding stay out of the picture.
struct RandomKernel {
  static let elements = 256
  static let scalars: [LoopScalar] = [.i8, .i16, .i32, .i64, .f16, .f32, .f64]
  private static let widths = [1, 2, 4, 8, 16]

  private let builder: KernelBuilder
  private var random: Seeded
  private var buffers: [(reference: BufferReference, scalar: LoopScalar, writable: Bool)] = []
  private var pool: [LoopValue] = []
  private var depth = 0

  static func make(seed: UInt64) -> Kernel {
    var generator = RandomKernel(seed: seed)
    generator.statements(12)
    for _ in 0..<6 { generator.store() }
    return generator.builder.finish()
  }

  private init(seed: UInt64) {
    builder = KernelBuilder(name: "random_\(seed)")
    random = Seeded(seed)
    for scalar in Self.scalars {
      let name = "in_\(scalar.rawValue)"
      buffers.append((builder.buffer(name, scalar, .read, elements: Self.elements, alignment: 64), scalar, false))
    }
    for scalar in Self.scalars {
      let name = "io_\(scalar.rawValue)"
      buffers.append((builder.buffer(name, scalar, .update, elements: Self.elements, alignment: 64), scalar, true))
    }
    pool = [builder.scalar("n"), builder.thread(), builder.threads()]
  }

  static func inputs(_ kernel: Kernel, seed: UInt64) -> [[UInt8]] {
    var random = Seeded(seed ^ 0x5555)
    return kernel.buffers.map { TestValues.bytes($0.scalar, count: $0.elements ?? 0, &random) }
  }

  // MARK: Picking

  private mutating func chance(_ percent: Int) -> Bool { random.below(100) < percent }
  private mutating func pick<Element>(_ list: [Element]) -> Element { list[random.below(list.count)] }

  private mutating func randomType() -> LoopType {
    LoopType(pick(Self.scalars), lanes: pick(Self.widths))
  }

  /// A value of the type: one that is there, or a new one.
  private mutating func value(_ type: LoopType) -> LoopValue {
    let known = pool.filter { builder.type($0) == type }
    if !known.isEmpty && chance(75) { return pick(known) }
    let made: LoopValue
    if type.scalar == .i1 {
      let operand = type.with(.i32)
      made = builder.compare(pick([.lt, .eq, .uge]), value(operand), value(operand))
    } else if chance(60) {
      made = load(type)
    } else if type.scalar.isFloat {
      made = builder.float(Double(random.float()) * 8, type)
    } else {
      made = builder.integer(Int(truncatingIfNeeded: random.next()) >> random.below(63), type)
    }
    pool.append(made)
    return made
  }

  /// An index value between zero and the last place where `lanes` elements fit.
  private mutating func index(_ lanes: Int) -> LoopValue {
    let last = Self.elements - lanes
    if chance(30) { return builder.index(random.below(last + 1)) }
    let any = value(.index)
    return builder.binary(.urem, any, builder.index(last + 1))
  }

  private mutating func load(_ type: LoopType) -> LoopValue {
    let buffer = pick(buffers.filter { $0.scalar == type.scalar })
    let place = index(type.lanes)
    let mask = chance(20) && depth < 4 ? truth(type.lanes) : nil
    if type.isVector && chance(15) {
      let indices = builder.binary(
        .and, value(LoopType(.i32, lanes: type.lanes)), builder.integer(63, LoopType(.i32, lanes: type.lanes)))
      let base = builder.binary(.and, place, builder.index(127))
      return builder.gather(type, Address(buffer.reference, base), indices: indices, mask: mask)
    }
    return builder.load(type, Address(buffer.reference, place), mask: mask)
  }

  private mutating func truth(_ lanes: Int) -> LoopValue {
    depth += 1
    defer { depth -= 1 }
    if chance(40) { return builder.prefixMask(builder.index(random.below(lanes + 1)), lanes: lanes) }
    return value(LoopType(.i1, lanes: lanes))
  }

  private mutating func store() {
    let buffer = pick(buffers.filter(\.writable))
    let type = LoopType(buffer.scalar, lanes: pick(Self.widths))
    let stored = value(type)
    let mask = chance(30) ? truth(type.lanes) : nil
    builder.store(stored, Address(buffer.reference, index(type.lanes)), mask: mask)
  }

  // MARK: Statements

  private mutating func statements(_ count: Int) {
    depth += 1
    defer { depth -= 1 }
    for _ in 0..<count {
      switch random.below(depth < 4 ? 12 : 9) {
      case 0: store()
      case 1...8: pool.append(operation())
      case 9: loop()
      case 10: branch()
      default: countdown()
      }
    }
  }

  private mutating func operation() -> LoopValue {
    let type = randomType()
    if chance(20) { return conversion(type) }
    if chance(20) { return laneOperation(type) }
    if type.scalar.isFloat {
      let operation = pick([BinaryOperation.add, .sub, .mul, .div, .min, .max, .rem])
      if chance(25) { return builder.fma(value(type), value(type), value(type)) }
      if chance(25) { return builder.unary(pick([.neg, .abs, .sqrt, .floor, .ceil, .trunc, .rint]), value(type)) }
      return builder.binary(operation, value(type), value(type))
    }
    if chance(20) { return builder.unary(pick([.neg, .not, .abs, .popcount, .clz]), value(type)) }
    let operation = pick(BinaryOperation.allCases)
    let left = value(type)
    switch operation {
    case .div, .rem, .udiv, .urem:
      return builder.binary(operation, left, builder.binary(.or, value(type), builder.integer(1, type)))
    case .shl, .shr, .ushr:
      let count = builder.binary(.and, value(type), builder.integer(type.scalar.bits - 1, type))
      return builder.binary(operation, left, count)
    default: return builder.binary(operation, left, value(type))
    }
  }

  private mutating func conversion(_ type: LoopType) -> LoopValue {
    let source = pick(Self.scalars)
    let from = value(type.with(source))
    switch (source.isFloat, type.scalar.isFloat) {
    case (false, true): return builder.convert(pick([.signedToFloat, .unsignedToFloat]), from, to: type)
    case (true, false): return builder.convert(pick([.floatToSigned, .floatToUnsigned]), from, to: type)
    case (true, true) where source.bits == type.scalar.bits: return from
    case (true, true):
      return builder.convert(source.bits < type.scalar.bits ? .floatExtend : .floatTruncate, from, to: type)
    case (false, false) where source.bits < type.scalar.bits:
      return builder.convert(pick([.signExtend, .zeroExtend]), from, to: type)
    case (false, false): return builder.convert(.truncate, from, to: type)
    }
  }

  private mutating func laneOperation(_ type: LoopType) -> LoopValue {
    switch random.below(6) {
    case 0: return builder.select(truth(type.lanes), value(type), value(type))
    case 1: return builder.splat(value(type.with(lanes: 1)), lanes: type.lanes)
    case 2: return builder.reduce(pick([.add, .min, .max]), value(type))
    case 3: return builder.extract(value(type), lane: random.below(type.lanes))
    case 4 where type.lanes >= 4:
      let bytes = LoopType(.i8, lanes: 4 * type.lanes)
      return builder.dot4(value(type.with(.i32)), unsigned: value(bytes), signed: value(bytes))
    default:
      let lanes = (0..<type.lanes).map { _ in random.below(2 * type.lanes) }
      return builder.shuffle(value(type), value(type), lanes: lanes)
    }
  }

  // MARK: Structure

  /// Two carried values; what the body makes stays inside.
  private mutating func loop() {
    let types = [randomType(), randomType()]
    let initial = types.map { value($0) }
    let lower = builder.index(random.below(4))
    let upper = builder.binary(.and, value(.index), builder.index(15))
    let saved = pool
    let induction = builder.fresh(.index)
    let carried = types.map { builder.fresh($0) }
    pool += [induction] + carried
    let body = builder.nested { statements(3) }
    var yields: [LoopValue] = []
    let tail = builder.nested { yields = types.map { value($0) } }
    pool = saved
    let results = types.map { builder.fresh($0) }
    builder.append(
      .forLoop(
        ForLoop(
          induction: induction, lower: lower, upper: upper, step: 1 + random.below(3), initial: initial,
          carried: carried, body: body + tail, yields: yields, results: results)))
    pool += results
  }

  private mutating func branch() {
    let type = randomType()
    let condition = value(.bool)
    let saved = pool
    var yields: [[LoopValue]] = []
    var bodies: [[Statement]] = []
    for _ in 0..<2 {
      bodies.append(
        builder.nested {
          statements(2)
          yields.append([value(type)])
        })
      pool = saved
    }
    let result = builder.fresh(type)
    builder.append(
      .ifElse(
        IfElse(
          condition: condition, thenBody: bodies[0], thenYields: yields[0], elseBody: bodies[1],
          elseYields: yields[1], results: [result])))
    pool.append(result)
  }

  /// A `while` that ends because it counts down.
  private mutating func countdown() {
    let type = randomType()
    let initial = [builder.index(random.below(5)), value(type)]
    let carried = [builder.fresh(.index), builder.fresh(type)]
    let saved = pool
    pool += carried
    var condition = carried[0]
    let conditionBody = builder.nested { condition = builder.compare(.gt, carried[0], builder.index(0)) }
    var yields: [LoopValue] = []
    let body = builder.nested {
      statements(2)
      yields = [builder.sub(carried[0], builder.index(1)), value(type)]
    }
    pool = saved
    let results = [builder.fresh(.index), builder.fresh(type)]
    builder.append(
      .whileLoop(
        WhileLoop(
          initial: initial, carried: carried, conditionBody: conditionBody, condition: condition, body: body,
          yields: yields, results: results)))
    pool += results
  }
}
