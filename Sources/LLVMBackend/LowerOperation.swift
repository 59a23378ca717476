import CLLVM
import Codegen
import Support

/// Types, constants and small helpers, and the one switch over operations.
extension KernelLowering {
  // MARK: Types

  func type(_ type: LoopType) -> LLVMType { vector(scalarType(type.scalar), type.lanes) }

  func vector(_ scalar: LLVMType, _ lanes: Int) -> LLVMType {
    lanes > 1 ? LLVMVectorType(scalar, UInt32(lanes)) : scalar
  }

  /// A scalar in a register; half floats are their bits.
  func scalarType(_ scalar: LoopScalar) -> LLVMType {
    switch scalar {
    case .i1: i1
    case .i8: i8
    case .i16, .f16, .bf16: i16
    case .i32: i32
    case .i64: i64
    case .f32: f32
    case .f64: f64
    }
  }

  /// A scalar in memory, where truth takes a byte.
  func memoryType(_ scalar: LoopScalar) -> LLVMType { scalar == .i1 ? i8 : scalarType(scalar) }

  // MARK: Constants

  func integer(_ value: Int, _ type: LLVMType) -> LLVMValue {
    LLVMConstInt(type, UInt64(bitPattern: Int64(value)), 1)
  }

  /// `value` in every lane.
  func constant(_ value: Int, _ type: LoopType) -> LLVMValue {
    repeated(LLVMConstInt(scalarType(type.scalar), UInt64(bitPattern: Int64(value)), 1), type.lanes)
  }

  func constant(_ value: Double, _ type: LoopType) -> LLVMValue {
    switch type.scalar {
    case .f16: repeated(integer(Int(HalfFloat.f16(value)), i16), type.lanes)
    case .bf16: repeated(integer(Int(HalfFloat.bf16(value)), i16), type.lanes)
    // Through the bits, since LLVM's constructor takes a double and would lose a NaN's payload.
    case .f32:
      repeated(
        LLVMConstBitCast(LLVMConstInt(i32, UInt64(Float(value).bitPattern), 0), f32), type.lanes)
    default: repeated(LLVMConstBitCast(LLVMConstInt(i64, value.bitPattern, 0), f64), type.lanes)
    }
  }

  private func repeated(_ value: LLVMValue, _ lanes: Int) -> LLVMValue {
    guard lanes > 1 else { return value }
    var elements = [LLVMValue?](repeating: value, count: lanes)
    return LLVMConstVector(&elements, UInt32(lanes))
  }

  func integers(_ values: [Int], _ scalar: LLVMType) -> LLVMValue {
    var elements: [LLVMValue?] = values.map { integer($0, scalar) }
    return elements.count == 1 ? elements[0]! : LLVMConstVector(&elements, UInt32(elements.count))
  }

  // MARK: Small builders

  func intrinsic(_ name: String, _ overloads: [LLVMType], _ arguments: [LLVMValue]) -> LLVMValue {
    let id = LLVMLookupIntrinsicID(name, name.utf8.count)
    precondition(id != 0, "LLVM has no intrinsic of the name that the backend asks for")
    var overloads: [LLVMType?] = overloads
    var arguments: [LLVMValue?] = arguments
    let function = LLVMGetIntrinsicDeclaration(target.module, id, &overloads, overloads.count)
    let type = LLVMIntrinsicGetType(context, id, &overloads, overloads.count)
    return LLVMBuildCall2(builder, type, function, &arguments, UInt32(arguments.count), "")
  }

  func splat(_ value: LLVMValue, _ lanes: Int) -> LLVMValue {
    guard lanes > 1 else { return value }
    let poison = LLVMGetPoison(LLVMVectorType(LLVMTypeOf(value), UInt32(lanes)))
    let first = LLVMBuildInsertElement(builder, poison, value, integer(0, i64), "")
    return LLVMBuildShuffleVector(builder, first, poison, LLVMConstNull(LLVMVectorType(i32, UInt32(lanes))), "")
  }

  func shuffle(_ a: LLVMValue, _ b: LLVMValue, _ lanes: [Int]) -> LLVMValue {
    var mask: [LLVMValue?] = lanes.map { $0 < 0 ? LLVMGetPoison(i32) : integer($0, i32) }
    return LLVMBuildShuffleVector(builder, a, b, LLVMConstVector(&mask, UInt32(mask.count)), "")
  }

  func extract(_ a: LLVMValue, _ lane: Int) -> LLVMValue {
    LLVMBuildExtractElement(builder, a, integer(lane, i64), "")
  }

  func select(_ condition: LLVMValue, _ a: LLVMValue, _ b: LLVMValue) -> LLVMValue {
    LLVMBuildSelect(builder, condition, a, b, "")
  }

  func bitcast(_ a: LLVMValue, _ type: LLVMType) -> LLVMValue { LLVMBuildBitCast(builder, a, type, "") }

  // MARK: Operations

  func lower(_ operation: LoopOperation, as result: LoopType) throws(Diagnostic) -> LLVMValue {
    switch operation {
    case .integer(let value): return constant(value, result)
    case .float(let value): return constant(value, result)
    case .scalar(let number): return scalarArgument(number)
    case .thread: return threadArgument
    case .threads: return threadsArgument
    case .unary(let unary, let a): return lowerUnary(unary, try self[a], result)
    case .binary(let binary, let a, let b): return lowerBinary(binary, try self[a], try self[b], result)
    case .compare(let comparison, let a, let b):
      return lowerCompare(comparison, try self[a], try self[b], kernel[a])
    case .select(let condition, let a, let b): return select(try self[condition], try self[a], try self[b])
    case .fma(let a, let b, let c): return lowerFMA(try self[a], try self[b], try self[c], result)
    case .convert(let conversion, let a): return lowerConversion(conversion, try self[a], kernel[a], result)
    case .splat(let a): return splat(try self[a], result.lanes)
    case .iota: return integers(Array(0..<result.lanes), scalarType(result.scalar))
    case .extract(let a, let lane):
      return kernel[a].isVector ? extract(try self[a], lane) : try self[a]
    case .insert(let a, let element, let lane):
      guard result.isVector else { return try self[element] }
      return LLVMBuildInsertElement(builder, try self[a], try self[element], integer(lane, i64), "")
    case .shuffle(let a, let b, let lanes): return try lowerShuffle(a, b, lanes)
    case .reduce(let binary, let a): return lowerReduction(binary, try self[a], kernel[a])
    case .load(let address, let mask, let alignment): return try lowerLoad(address, mask, alignment, result)
    case .gather(let address, let indices, let mask): return try lowerGather(address, indices, mask, result)
    case .dot4(let accumulator, let unsigned, let signed):
      return lowerDot(try self[accumulator], try self[unsigned], try self[signed], result.lanes)
    }
  }

  private func lowerShuffle(_ a: LoopValue, _ b: LoopValue, _ lanes: [Int]) throws(Diagnostic) -> LLVMValue {
    let width = kernel[a].lanes
    if width > 1 && lanes.count > 1 { return shuffle(try self[a], try self[b], lanes) }
    // LLVM shuffles vectors only: pick the lanes one by one where a side is a scalar.
    let (first, second) = (try self[a], try self[b])
    let element = scalarType(kernel[a].scalar)
    let picked = lanes.map { (lane: Int) -> LLVMValue in
      if lane < 0 { return LLVMGetPoison(element) }
      let source = lane < width ? first : second
      return width > 1 ? extract(source, lane % width) : source
    }
    if picked.count == 1 { return picked[0] }
    var result: LLVMValue = LLVMGetPoison(LLVMVectorType(element, UInt32(picked.count)))
    for (lane, value) in picked.enumerated() {
      result = LLVMBuildInsertElement(builder, result, value, integer(lane, i64), "")
    }
    return result
  }
}
