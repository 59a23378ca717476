import CLLVM

/// Writes masked stores of exactly one known lane as plain stores.
///
///     call void @llvm.masked.store(<16 x i16> %narrow, ptr %p, <16 x i1> <i1 true, i1 false, ...>)
///     // becomes
///     %lane = extractelement <16 x i16> %narrow, i64 0
///     store i16 %lane, ptr %p
///
/// LLVM 22 does so by itself when it selects instructions for AVX-512. But where `%narrow` is truncated from wider
/// lanes, it has merged the truncation into the store by then, and stores a whole wide lane over the neighbours.
struct SingleLaneStores {
  let context: LLVMContextRef
  let module: LLVMModuleRef
  let builder: LLVMBuilderRef

  func rewrite() {
    var function = LLVMGetFirstFunction(module)
    while let current = function {
      var block = LLVMGetFirstBasicBlock(current)
      while let inside = block {
        var next = LLVMGetFirstInstruction(inside)
        while let instruction = next {
          next = LLVMGetNextInstruction(instruction)
          rewrite(instruction)
        }
        block = LLVMGetNextBasicBlock(inside)
      }
      function = LLVMGetNextFunction(current)
    }
  }

  private func rewrite(_ instruction: LLVMValueRef) {
    guard isMaskedStore(instruction), let value = LLVMGetOperand(instruction, 0),
      let pointer = LLVMGetOperand(instruction, 1), let mask = LLVMGetOperand(instruction, 2),
      let type = LLVMTypeOf(value), let element = LLVMGetElementType(type),
      let lane = onlyLane(mask, of: LLVMGetVectorSize(type))
    else { return }
    LLVMPositionBuilderBefore(builder, instruction)
    let index = LLVMConstInt(LLVMInt64TypeInContext(context), UInt64(lane), 0)
    let scalar = LLVMBuildExtractElement(builder, value, index, "")
    var indices: [LLVMValueRef?] = [index]
    let place = lane == 0 ? pointer : LLVMBuildGEP2(builder, element, pointer, &indices, 1, "")
    let store = LLVMBuildStore(builder, scalar, place)
    LLVMSetAlignment(store, alignment(of: instruction, lane: lane, element))
    LLVMInstructionEraseFromParent(instruction)
  }

  private func isMaskedStore(_ instruction: LLVMValueRef) -> Bool {
    guard LLVMIsACallInst(instruction) != nil, let callee = LLVMGetCalledValue(instruction) else { return false }
    var length = 0
    guard let name = LLVMGetValueName2(callee, &length) else { return false }
    return String(cString: name).hasPrefix("llvm.masked.store.")
  }

  /// The lane that a constant mask lets through, when it is one.
  private func onlyLane(_ mask: LLVMValueRef, of lanes: UInt32) -> UInt32? {
    guard LLVMIsConstant(mask) != 0, LLVMIsAConstantExpr(mask) == nil else { return nil }
    var found: UInt32?
    for lane in 0..<lanes {
      guard let bit = LLVMGetAggregateElement(mask, lane), LLVMIsAConstantInt(bit) != nil else { return nil }
      guard LLVMConstIntGetZExtValue(bit) != 0 else { continue }
      guard found == nil else { return nil }
      found = lane
    }
    return found
  }

  private func alignment(of call: LLVMValueRef, lane: UInt32, _ element: LLVMTypeRef) -> UInt32 {
    let kind = LLVMGetEnumAttributeKindForName("align", 5)
    // Attributes count the result as 0, so the second argument is 2.
    guard let attribute = LLVMGetCallSiteEnumAttribute(call, 2, kind) else { return 1 }
    let whole = UInt32(truncatingIfNeeded: LLVMGetEnumAttributeValue(attribute))
    guard lane > 0, let layout = LLVMGetModuleDataLayout(module) else { return max(1, whole) }
    return max(1, min(whole, UInt32(truncatingIfNeeded: LLVMABISizeOfType(layout, element))))
  }
}
