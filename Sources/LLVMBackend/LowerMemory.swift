import CLLVM
import Codegen
import Support

/// Loads, stores, gathers, scatters and prefetches.
extension KernelLowering {
  private func scalar(of buffer: BufferReference) -> LoopScalar {
    switch buffer {
    case .parameter(let number): kernel.buffers[number].scalar
    case .local(let number): kernel.locals[number].scalar
    }
  }

  /// The index may be out of range as long as index plus offset is not, so neither step is `inbounds`. The constant
  /// comes last, where addressing modes take it.
  private func place(_ address: Address) throws(Diagnostic) -> LLVMValue {
    var result =
      switch address.buffer {
      case .parameter(let number): bufferArgument(number)
      case .local(let number): locals[number]
      }
    let scalar = scalar(of: address.buffer)
    if let index = address.index {
      var indices: [LLVMValue?] = [try self[index]]
      result = LLVMBuildGEP2(builder, memoryType(scalar), result, &indices, 1, "")
    }
    if address.offset != 0 {
      let (bytes, overflow) = address.offset.multipliedReportingOverflow(by: scalar.bytes)
      if overflow { throw .bug("kernel @\(kernel.name): offset \(address.offset) overflows") }
      var indices: [LLVMValue?] = [integer(bytes, i64)]
      result = LLVMBuildGEP2(builder, i8, result, &indices, 1, "")
    }
    return result
  }

  private func memory(_ type: LoopType) -> LLVMType { vector(memoryType(type.scalar), type.lanes) }

  /// Truth is a byte in memory.
  private func fromMemory(_ a: LLVMValue, _ type: LoopType) -> LLVMValue {
    guard type.scalar == .i1 else { return a }
    return LLVMBuildICmp(builder, LLVMIntNE, a, constant(0, type.with(.i8)), "")
  }

  private func toMemory(_ a: LLVMValue, _ type: LoopType) -> LLVMValue {
    type.scalar == .i1 ? LLVMBuildZExt(builder, a, memory(type), "") : a
  }

  private func align(_ call: LLVMValue, _ bytes: Int, argument: Int) {
    let kind = LLVMGetEnumAttributeKindForName("align", 5)
    LLVMAddCallSiteAttribute(call, UInt32(argument + 1), LLVMCreateEnumAttribute(context, kind, UInt64(max(1, bytes))))
  }

  /// A mask as LLVM wants it; nil where every lane is set.
  private func lowerMask(_ mask: LoopValue?, _ lanes: Int) throws(Diagnostic) -> LLVMValue? {
    guard let mask else { return nil }
    let value = try self[mask]
    return value == LLVMConstAllOnes(vector(i1, lanes)) ? nil : value
  }

  func lowerLoad(
    _ address: Address, _ mask: LoopValue?, _ alignment: Int, _ type: LoopType
  ) throws(Diagnostic) -> LLVMValue {
    try load(try place(address), mask, alignment, type)
  }

  /// Loads what lies in one piece.
  private func load(
    _ pointer: LLVMValue, _ mask: LoopValue?, _ alignment: Int, _ type: LoopType
  ) throws(Diagnostic) -> LLVMValue {
    let memory = memory(type)
    guard let mask = try lowerMask(mask, type.lanes) else {
      let load = LLVMBuildLoad2(builder, memory, pointer, "")!
      LLVMSetAlignment(load, UInt32(max(1, alignment)))
      return fromMemory(load, type)
    }
    let (vectorMask, vectorType) = type.isVector ? (mask, memory) : (oneLane(mask), LLVMVectorType(memory, 1)!)
    let load = intrinsic(
      "llvm.masked.load", [vectorType, self.pointer], [pointer, vectorMask, LLVMConstNull(vectorType)])
    align(load, alignment, argument: 0)
    return fromMemory(type.isVector ? load : extract(load, 0), type)
  }

  func lowerStore(
    _ value: LoopValue, _ address: Address, _ mask: LoopValue?, _ alignment: Int
  ) throws(Diagnostic) {
    let type = kernel[value]
    try store(toMemory(try self[value], type), try place(address), mask, alignment, type)
  }

  /// Stores what lies in one piece.
  private func store(
    _ stored: LLVMValue, _ pointer: LLVMValue, _ mask: LoopValue?, _ alignment: Int, _ type: LoopType
  ) throws(Diagnostic) {
    guard let mask = try lowerMask(mask, type.lanes) else {
      LLVMSetAlignment(LLVMBuildStore(builder, stored, pointer), UInt32(max(1, alignment)))
      return
    }
    let (vectorMask, vectorValue) = type.isVector ? (mask, stored) : (oneLane(mask), oneLane(stored))
    let store = intrinsic(
      "llvm.masked.store", [LLVMTypeOf(vectorValue), self.pointer], [vectorValue, pointer, vectorMask])
    align(store, alignment, argument: 1)
  }

  private func oneLane(_ scalar: LLVMValue) -> LLVMValue {
    let poison = LLVMGetPoison(LLVMVectorType(LLVMTypeOf(scalar), 1))
    return LLVMBuildInsertElement(builder, poison, scalar, integer(0, i64), "")
  }

  private func places(_ address: Address, _ indices: LoopValue) throws(Diagnostic) -> LLVMValue {
    var lanes: [LLVMValue?] = [try self[indices]]
    return LLVMBuildGEP2(builder, memoryType(scalar(of: address.buffer)), try place(address), &lanes, 1, "")
  }

  func lowerGather(
    _ address: Address, _ indices: LoopValue, _ mask: LoopValue?, _ type: LoopType
  ) throws(Diagnostic) -> LLVMValue {
    let pointers = try places(address, indices)
    let memory = memory(type)
    let alignment = scalar(of: address.buffer).bytes
    guard type.isVector else { return try load(pointers, mask, alignment, type) }
    let lanes = try lowerMask(mask, type.lanes) ?? LLVMConstAllOnes(vector(i1, type.lanes))!
    let gather = intrinsic(
      "llvm.masked.gather", [memory, vector(pointer, type.lanes)], [pointers, lanes, LLVMConstNull(memory)])
    align(gather, alignment, argument: 0)
    return fromMemory(gather, type)
  }

  func lowerScatter(
    _ value: LoopValue, _ address: Address, _ indices: LoopValue, _ mask: LoopValue?
  ) throws(Diagnostic) {
    let type = kernel[value]
    let pointers = try places(address, indices)
    let stored = toMemory(try self[value], type)
    let alignment = scalar(of: address.buffer).bytes
    guard type.isVector else { return try store(stored, pointers, mask, alignment, type) }
    let lanes = try lowerMask(mask, type.lanes) ?? LLVMConstAllOnes(vector(i1, type.lanes))!
    let scatter = intrinsic(
      "llvm.masked.scatter", [LLVMTypeOf(stored), vector(pointer, type.lanes)], [stored, pointers, lanes])
    align(scatter, alignment, argument: 1)
  }

  /// Into the second-level cache: what is prefetched is the next panel, too large for the first.
  func lowerPrefetch(_ address: Address, _ write: Bool) throws(Diagnostic) {
    let secondLevel = 2
    let dataCache = 1
    _ = intrinsic(
      "llvm.prefetch", [pointer],
      [try place(address), integer(write ? 1 : 0, i32), integer(secondLevel, i32), integer(dataCache, i32)])
  }
}
