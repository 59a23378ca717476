import Codegen
import LLVMBackend
import Testing

/// Every operation on every type and width: compiled code equals the interpreter bit for bit, NaN payloads apart.
@Suite struct OperationTests {
  static let widths = [1, 3, 4, 8, 16, 32]
  static let integers: [LoopScalar] = [.i8, .i16, .i32, .i64]
  static let floats: [LoopScalar] = [.f16, .bf16, .f32, .f64]

  typealias Named = (name: String, make: OperationCase.Make)

  static let all: [OperationCase] = {
    var cases: [OperationCase] = []
    for lanes in widths {
      for scalar in integers {
        let type = LoopType(scalar, lanes: lanes)
        cases.append(OperationCase("int_\(type)", type, integerOperations(type)))
        cases.append(OperationCase("intconv_\(type)", type, integerConversions(type)))
      }
      for scalar in floats {
        let type = LoopType(scalar, lanes: lanes)
        cases.append(OperationCase("float_\(type)", type, floatOperations(type)))
        cases.append(OperationCase("floatconv_\(type)", type, floatConversions(type)))
      }
      let truth = LoopType(.i1, lanes: lanes)
      cases.append(OperationCase("truth_\(truth)", truth, truthOperations(truth)))
    }
    for lanes in [4, 8, 16, 32, 64] where OperationCase.elements % lanes == 0 {
      let bytes = LoopType(.i8, lanes: lanes)
      cases.append(OperationCase("dot_\(bytes)", bytes, dotOperations(bytes)))
    }
    return cases
  }()

  @Test(arguments: TestMachines.runnable.map(\.name)) func compiledEqualsInterpreted(_ name: String) throws {
    let machine = try #require(TestMachines.runnable.first { $0.name == name }).machine
    let loaded = try LoadedKernels(Self.all.map(\.kernel), for: machine)
    for test in Self.all {
      var actual = test.inputs
      var expected = test.inputs
      #expect(try KernelInterpreter(test.kernel, hasFMA: machine.hasFMA).run(&expected) == 0)
      #expect(try loaded.run(test.kernel.name, &actual) == 0)
      let difference = test.difference(actual, expected, flushesBF16: machine.hasBF16Conversion)
      #expect(difference == nil, "\(test.kernel.name)")
    }
  }

  @Test func everyCaseReadsBack() throws {
    for test in Self.all {
      #expect(try Kernel(parsing: test.kernel.description) == test.kernel.canonical())
    }
  }

  // MARK: Operations by type

  static func unary(_ operations: [UnaryOperation]) -> [Named] {
    operations.map { operation in (operation.rawValue, { builder, a, _, _ in builder.unary(operation, a) }) }
  }

  static func comparisons(_ list: [Comparison]) -> [Named] {
    list.map { comparison in
      (
        comparison.rawValue,
        { builder, a, b, c in
          let truth = builder.compare(comparison, a, b)
          return builder.select(truth, b, c)
        }
      )
    }
  }

  static func laneOperations(_ type: LoopType) -> [Named] {
    var result: [Named] = [
      ("select", { builder, a, b, c in builder.select(builder.compare(.eq, a, c), a, b) }),
      (
        "insert",
        { builder, a, b, _ in
          let lane = type.lanes - 1
          return builder.define(type, .insert(a, builder.extract(b, lane: 0), lane: lane))
        }
      ),
      ("splat", { builder, a, _, _ in builder.splat(builder.extract(a, lane: type.lanes / 2), lanes: type.lanes) }),
      ("extract", { builder, a, _, _ in builder.extract(a, lane: type.lanes - 1) }),
    ]
    let mixed = (0..<type.lanes).map { ($0 * 7 + 3) % (2 * type.lanes) }
    result.append(("shuffle", { builder, a, b, _ in builder.shuffle(a, b, lanes: mixed) }))
    let doubled = (0..<2 * type.lanes).map { ($0 * 3 + 1) % (2 * type.lanes) }
    result.append(("widen", { builder, a, b, _ in builder.shuffle(a, b, lanes: doubled) }))
    return result
  }

  static func reductions(_ list: [BinaryOperation]) -> [Named] {
    list.map { operation in ("reduce " + operation.rawValue, { builder, a, _, _ in builder.reduce(operation, a) }) }
  }

  static func integerOperations(_ type: LoopType) -> [Named] {
    var result = unary([.neg, .not, .abs, .popcount, .clz])
    let plain: [BinaryOperation] = [
      .add, .sub, .mul, .min, .max, .umin, .umax, .and, .or, .xor, .addSaturating, .subSaturating,
    ]
    for operation in plain {
      result.append((operation.rawValue, { builder, a, b, _ in builder.binary(operation, a, b) }))
    }
    for operation in [BinaryOperation.div, .udiv, .rem, .urem] {
      result.append(
        (
          operation.rawValue,
          { builder, a, b, _ in
            builder.binary(operation, a, builder.binary(.or, b, builder.integer(1, type)))
          }
        ))
      result.append(
        (
          operation.rawValue + " by 7",
          { builder, a, _, _ in builder.binary(operation, a, builder.integer(7, type)) }
        ))
    }
    for operation in [BinaryOperation.shl, .shr, .ushr] {
      result.append(
        (
          operation.rawValue,
          { builder, a, b, _ in
            let count = builder.binary(.and, b, builder.integer(type.scalar.bits - 1, type))
            return builder.binary(operation, a, count)
          }
        ))
    }
    result += comparisons(Comparison.allCases)
    result += laneOperations(type)
    result += reductions([.add, .mul, .min, .max, .umin, .umax, .and, .or, .xor])
    result.append(("iota", { builder, a, _, _ in builder.add(a, builder.iota(type)) }))
    result.append(("fma", { builder, a, b, c in builder.fma(a, b, c) }))
    return result
  }

  static func integerConversions(_ type: LoopType) -> [Named] {
    var result: [Named] = []
    for scalar in integers + [.i1] {
      let conversions: [Conversion] =
        scalar.bits > type.scalar.bits ? [.signExtend, .zeroExtend] : scalar.bits < type.scalar.bits ? [.truncate] : []
      for conversion in conversions { result.append(convert(conversion, type.with(scalar))) }
    }
    for scalar in floats {
      result.append(convert(.signedToFloat, type.with(scalar)))
      result.append(convert(.unsignedToFloat, type.with(scalar)))
      if scalar.bits == type.scalar.bits { result.append(convert(.bitcast, type.with(scalar))) }
    }
    if type.scalar != .i8 {
      let split = LoopType(.i8, lanes: type.bytes)
      result.append(convert(.bitcast, split))
      result.append(
        ("join", { builder, a, _, _ in builder.convert(.bitcast, builder.convert(.bitcast, a, to: split), to: type) }))
    }
    return result
  }

  static func convert(_ conversion: Conversion, _ type: LoopType) -> Named {
    ("\(conversion.rawValue) to \(type)", { builder, a, _, _ in builder.convert(conversion, a, to: type) })
  }

  static func floatOperations(_ type: LoopType) -> [Named] {
    var result = unary([.neg, .abs, .sqrt, .floor, .ceil, .trunc, .rint])
    for operation in [BinaryOperation.add, .sub, .mul, .div, .rem, .min, .max] {
      result.append((operation.rawValue, { builder, a, b, _ in builder.binary(operation, a, b) }))
    }
    result.append(("fma", { builder, a, b, c in builder.fma(a, b, c) }))
    result += comparisons([.eq, .ne, .lt, .le, .gt, .ge])
    result += laneOperations(type)
    // A product of subnormals depends on which step flushes them, so bf16 does without.
    result += reductions(type.scalar == .bf16 ? [.add, .min, .max] : [.add, .mul, .min, .max])
    result.append(("constant", { builder, a, _, _ in builder.add(a, builder.float(0.1, type)) }))
    return result
  }

  static func floatConversions(_ type: LoopType) -> [Named] {
    var result: [Named] = []
    for scalar in floats where scalar != type.scalar {
      if scalar.bits > type.scalar.bits { result.append(convert(.floatExtend, type.with(scalar))) }
      if scalar.bits < type.scalar.bits { result.append(convert(.floatTruncate, type.with(scalar))) }
    }
    for scalar in integers {
      result.append(convert(.floatToSigned, type.with(scalar)))
      result.append(convert(.floatToUnsigned, type.with(scalar)))
    }
    return result
  }

  static func truthOperations(_ type: LoopType) -> [Named] {
    var result = unary([.not])
    for operation in [BinaryOperation.and, .or, .xor] {
      result.append((operation.rawValue, { builder, a, b, _ in builder.binary(operation, a, b) }))
    }
    result += comparisons([.eq, .ne])
    result += reductions([.and, .or, .xor])
    result.append(convert(.zeroExtend, type.with(.i32)))
    result.append(convert(.signExtend, type.with(.i8)))
    result.append(convert(.unsignedToFloat, type.with(.f32)))
    if type.lanes == 16 { result.append(convert(.bitcast, LoopType(.i16))) }
    return result
  }

  static func dotOperations(_ type: LoopType) -> [Named] {
    let sums = LoopType(.i32, lanes: type.lanes / 4)
    return [
      ("dot4", { builder, a, b, c in builder.dot4(builder.convert(.bitcast, c, to: sums), unsigned: a, signed: b) })
    ]
  }
}
