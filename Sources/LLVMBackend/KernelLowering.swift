import CLLVM
import Codegen
import Support

typealias LLVMValue = OpaquePointer
typealias LLVMType = OpaquePointer

/// Lowers one kernel into an LLVM module: an exported function that unpacks the
/// argument arrays, and the body with real parameters, which can carry `noalias`.
///
///     define i32 @k(ptr %buffers, ptr %scalars, i64 %thread, i64 %threads)
///     define internal i32 @k.body(ptr noalias align 64 %x, ..., i64 %n, ..., i64 %thread, i64 %threads)
///
/// f16 and bf16 are 16-bit integers here: LLVM turns half-float arithmetic that a
/// machine lacks into library calls, so only conversions ever see the real types.
final class KernelLowering {
  let kernel: Kernel
  let target: KernelModule
  let machine: MachineOptions
  let context: LLVMContextRef
  let builder: LLVMBuilderRef
  var body: LLVMValue

  private var values: [LLVMValue?]
  private var parameters: [LLVMValue] = []
  private(set) var locals: [LLVMValue] = []
  /// Where a failed check leaves; its phi collects the status.
  private var failure: (block: LLVMBasicBlockRef, status: LLVMValue)?
  var remainder: LLVMValue?

  let i1: LLVMType
  let i8: LLVMType
  let i16: LLVMType
  let i32: LLVMType
  let i64: LLVMType
  let f32: LLVMType
  let f64: LLVMType
  let pointer: LLVMType

  init(_ kernel: Kernel, in target: KernelModule, for machine: MachineOptions) throws(Diagnostic) {
    self.kernel = kernel
    self.target = target
    self.machine = machine
    context = target.context
    builder = target.builder
    values = Array(repeating: nil, count: kernel.types.count)
    i1 = LLVMInt1TypeInContext(context)
    i8 = LLVMInt8TypeInContext(context)
    i16 = LLVMInt16TypeInContext(context)
    i32 = LLVMInt32TypeInContext(context)
    i64 = LLVMInt64TypeInContext(context)
    f32 = LLVMFloatTypeInContext(context)
    f64 = LLVMDoubleTypeInContext(context)
    pointer = LLVMPointerTypeInContext(context, 0)

    var types = [LLVMType?](repeating: pointer, count: kernel.buffers.count)
    types += [LLVMType?](repeating: i64, count: kernel.scalars.count + 2)
    let type = LLVMFunctionType(i32, &types, UInt32(types.count), 0)
    guard let function = LLVMAddFunction(target.module, kernel.name + ".body", type) else {
      throw .bug("kernel @\(kernel.name): LLVM makes no function")
    }
    body = function
  }

  // MARK: Function

  func lower() throws(Diagnostic) {
    buildEntry()
    LLVMSetLinkage(body, LLVMInternalLinkage)
    addAttributes(to: body)
    attach("noinline", to: body)
    describeParameters()
    let names = kernel.buffers.map(\.name) + kernel.scalars.map(\.name) + ["thread", "threads"]
    for (number, name) in names.enumerated() {
      let parameter = LLVMGetParam(body, UInt32(number))!
      LLVMSetValueName2(parameter, name, name.utf8.count)
      parameters.append(parameter)
    }
    let entry = block("entry")
    LLVMPositionBuilderAtEnd(builder, entry)
    for local in kernel.locals {
      let array = LLVMBuildAlloca(builder, LLVMArrayType2(memoryType(local.scalar), UInt64(local.count)), local.name)
      LLVMSetAlignment(array, UInt32(local.alignment))
      locals.append(array!)
    }
    try lower(kernel.body)
    LLVMBuildRet(builder, integer(0, i32))
    if let failure {
      LLVMPositionBuilderAtEnd(builder, failure.block)
      LLVMBuildRet(builder, failure.status)
    }
  }

  /// The symbol that the artifact calls.
  private func buildEntry() {
    var types: [LLVMType?] = [pointer, pointer, i64, i64]
    let type = LLVMFunctionType(i32, &types, 4, 0)
    let entry = LLVMAddFunction(target.module, kernel.name, type)!
    LLVMSetVisibility(entry, machine.exportsKernels ? LLVMDefaultVisibility : LLVMHiddenVisibility)
    addAttributes(to: entry)
    LLVMPositionBuilderAtEnd(builder, LLVMAppendBasicBlockInContext(context, entry, "entry"))
    var arguments: [LLVMValue?] = []
    for number in kernel.buffers.indices {
      arguments.append(loadWord(LLVMGetParam(entry, 0), number, pointer))
    }
    for number in kernel.scalars.indices {
      arguments.append(loadWord(LLVMGetParam(entry, 1), number, i64))
    }
    arguments.append(LLVMGetParam(entry, 2))
    arguments.append(LLVMGetParam(entry, 3))
    let call = LLVMBuildCall2(
      builder, LLVMGlobalGetValueType(body), body, &arguments, UInt32(arguments.count), "status")
    LLVMBuildRet(builder, call)
  }

  private func loadWord(_ array: LLVMValue, _ number: Int, _ type: LLVMType) -> LLVMValue {
    var index: [LLVMValue?] = [integer(number, i64)]
    let place = LLVMBuildGEP2(builder, type, array, &index, 1, "")
    return LLVMBuildLoad2(builder, type, place, "")
  }

  func addAttributes(to function: LLVMValue) {
    attach("nounwind", to: function)
    if machine.unwindTables { attach("uwtable", 2, to: function) }
    set("target-cpu", machine.cpu, on: function)
    set("tune-cpu", machine.tuneCPU, on: function)
    if !machine.features.isEmpty { set("target-features", machine.features, on: function) }
    if machine.preferVectorWidth > 0 {
      set("prefer-vector-width", "\(machine.preferVectorWidth)", on: function)
    }
  }

  private func describeParameters() {
    for (number, buffer) in kernel.buffers.enumerated() {
      let place = number + 1
      attach("noalias", to: body, at: place)
      attach("align", UInt64(max(1, buffer.alignment)), to: body, at: place)
      if buffer.access == .read { attach("readonly", to: body, at: place) }
      if buffer.access == .write { attach("writeonly", to: body, at: place) }
      if let elements = buffer.elements, elements > 0 {
        let (bytes, overflow) = elements.multipliedReportingOverflow(by: buffer.scalar.bytes)
        if !overflow { attach("dereferenceable", UInt64(bytes), to: body, at: place) }
      }
    }
  }

  private func attach(_ name: String, _ value: UInt64 = 0, to function: LLVMValue, at place: Int? = nil) {
    let kind = LLVMGetEnumAttributeKindForName(name, name.utf8.count)
    let index = place.map { UInt32($0) } ?? UInt32.max  // LLVMAttributeFunctionIndex
    LLVMAddAttributeAtIndex(function, index, LLVMCreateEnumAttribute(context, kind, value))
  }

  private func set(_ name: String, _ value: String, on function: LLVMValue) {
    let attribute = LLVMCreateStringAttribute(
      context, name, UInt32(name.utf8.count), value, UInt32(value.utf8.count))
    LLVMAddAttributeAtIndex(function, UInt32.max, attribute)
  }

  func block(_ name: String) -> LLVMBasicBlockRef { LLVMAppendBasicBlockInContext(context, body, name) }

  // MARK: Values

  subscript(_ value: LoopValue) -> LLVMValue {
    get throws(Diagnostic) {
      guard values.indices.contains(value.id), let known = values[value.id] else {
        throw .bug("kernel @\(kernel.name): %\(value.id) is used before it is defined")
      }
      return known
    }
  }

  func setValue(_ value: LoopValue, _ lowered: LLVMValue) { values[value.id] = lowered }

  func all(_ operands: [LoopValue]) throws(Diagnostic) -> [LLVMValue] {
    var result: [LLVMValue] = []
    result.reserveCapacity(operands.count)
    for operand in operands { result.append(try self[operand]) }
    return result
  }

  func scalarArgument(_ number: Int) -> LLVMValue { parameters[kernel.buffers.count + number] }
  func bufferArgument(_ number: Int) -> LLVMValue { parameters[number] }
  var threadArgument: LLVMValue { parameters[kernel.buffers.count + kernel.scalars.count] }
  var threadsArgument: LLVMValue { parameters[kernel.buffers.count + kernel.scalars.count + 1] }

  // MARK: Statements

  private func lower(_ statements: [Statement]) throws(Diagnostic) {
    for statement in statements {
      switch statement {
      case .define(let value, let operation):
        setValue(value, try lower(operation, as: kernel[value]))
      case .store(let value, let address, let mask, let alignment):
        try lowerStore(value, address, mask, alignment)
      case .scatter(let value, let address, let indices, let mask):
        try lowerScatter(value, address, indices, mask)
      case .prefetch(let address, let write):
        try lowerPrefetch(address, write)
      case .check(let condition, let status):
        try lowerCheck(condition, status)
      case .forLoop(let loop): try lower(loop)
      case .whileLoop(let loop): try lower(loop)
      case .ifElse(let branch): try lower(branch)
      }
    }
  }

  private func lowerCheck(_ condition: LoopValue, _ status: Int) throws(Diagnostic) {
    let current = LLVMGetInsertBlock(builder)
    if failure == nil {
      let leave = block("leave")
      LLVMPositionBuilderAtEnd(builder, leave)
      failure = (leave, LLVMBuildPhi(builder, i32, "status"))
      LLVMPositionBuilderAtEnd(builder, current)
    }
    let next = block("checked")
    LLVMBuildCondBr(builder, try self[condition], next, failure!.block)
    addIncoming(failure!.status, [(integer(status, i32), current!)])
    LLVMPositionBuilderAtEnd(builder, next)
  }

  /// Rotated by construction: a guard, then a body that ends in the test for the next round.
  private func lower(_ loop: ForLoop) throws(Diagnostic) {
    let lower = try self[loop.lower]
    let upper = try self[loop.upper]
    let initial = try all(loop.initial)
    let before = LLVMGetInsertBlock(builder)!
    let top = block("for")
    let after = block("for.end")
    LLVMBuildCondBr(builder, LLVMBuildICmp(builder, LLVMIntSLT, lower, upper, ""), top, after)

    LLVMPositionBuilderAtEnd(builder, top)
    let induction = LLVMBuildPhi(builder, i64, "i")!
    let carried = loop.carried.map { LLVMBuildPhi(builder, type(kernel[$0]), "")! }
    setValue(loop.induction, induction)
    for (value, phi) in zip(loop.carried, carried) { setValue(value, phi) }
    try self.lower(loop.body)
    let yields = try all(loop.yields)
    let next = LLVMBuildAdd(builder, induction, integer(loop.step, i64), "i.next")!
    LLVMSetNSW(next, 1)
    let bottom = LLVMGetInsertBlock(builder)!
    let again = LLVMBuildICmp(builder, LLVMIntSLT, next, upper, "")
    keepAsWritten(LLVMBuildCondBr(builder, again, top, after))
    addIncoming(induction, [(lower, before), (next, bottom)])
    for number in carried.indices {
      addIncoming(carried[number], [(initial[number], before), (yields[number], bottom)])
    }

    LLVMPositionBuilderAtEnd(builder, after)
    for number in carried.indices {
      let result = LLVMBuildPhi(builder, type(kernel[loop.results[number]]), "")!
      addIncoming(result, [(initial[number], before), (yields[number], bottom)])
      setValue(loop.results[number], result)
    }
  }

  private func lower(_ loop: WhileLoop) throws(Diagnostic) {
    let initial = try all(loop.initial)
    let before = LLVMGetInsertBlock(builder)!
    let top = block("while")
    LLVMBuildBr(builder, top)
    LLVMPositionBuilderAtEnd(builder, top)
    let carried = loop.carried.map { LLVMBuildPhi(builder, type(kernel[$0]), "")! }
    for (value, phi) in zip(loop.carried, carried) { setValue(value, phi) }
    try lower(loop.conditionBody)
    let inside = block("do")
    let after = block("while.end")
    LLVMBuildCondBr(builder, try self[loop.condition], inside, after)
    LLVMPositionBuilderAtEnd(builder, inside)
    try lower(loop.body)
    let yields = try all(loop.yields)
    let bottom = LLVMGetInsertBlock(builder)!
    keepAsWritten(LLVMBuildBr(builder, top))
    for number in carried.indices {
      addIncoming(carried[number], [(initial[number], before), (yields[number], bottom)])
      setValue(loop.results[number], carried[number])
    }
    LLVMPositionBuilderAtEnd(builder, after)
  }

  private func lower(_ branch: IfElse) throws(Diagnostic) {
    let yes = block("then")
    let no = block("else")
    let after = block("endif")
    LLVMBuildCondBr(builder, try self[branch.condition], yes, no)
    LLVMPositionBuilderAtEnd(builder, yes)
    try lower(branch.thenBody)
    let thenYields = try all(branch.thenYields)
    let thenEnd = LLVMGetInsertBlock(builder)!
    LLVMBuildBr(builder, after)
    LLVMPositionBuilderAtEnd(builder, no)
    try lower(branch.elseBody)
    let elseYields = try all(branch.elseYields)
    let elseEnd = LLVMGetInsertBlock(builder)!
    LLVMBuildBr(builder, after)
    LLVMPositionBuilderAtEnd(builder, after)
    for number in branch.results.indices {
      let result = LLVMBuildPhi(builder, type(kernel[branch.results[number]]), "")!
      addIncoming(result, [(thenYields[number], thenEnd), (elseYields[number], elseEnd)])
      setValue(branch.results[number], result)
    }
  }

  func addIncoming(_ phi: LLVMValue, _ sources: [(LLVMValue, LLVMBasicBlockRef)]) {
    for (value, block) in sources {
      var values: [LLVMValue?] = [value]
      var blocks: [LLVMBasicBlockRef?] = [block]
      LLVMAddIncoming(phi, &values, &blocks, 1)
    }
  }

  /// Tells LLVM that this loop is neither to be unrolled nor vectorized.
  private func keepAsWritten(_ branch: LLVMValue) {
    func text(_ name: String) -> LLVMMetadataRef { LLVMMDStringInContext2(context, name, name.utf8.count) }
    func node(_ operands: [LLVMMetadataRef?]) -> LLVMMetadataRef {
      var operands = operands
      return LLVMMDNodeInContext2(context, &operands, operands.count)
    }
    let no = LLVMValueAsMetadata(integer(0, i1))
    let unroll = node([text("llvm.loop.unroll.disable")])
    let vectorize = node([text("llvm.loop.vectorize.enable"), no])
    // A loop's node names itself first, which makes it distinct.
    let kind = LLVMGetMDKindIDInContext(context, "llvm.loop", 9)
    let description = node([text("loop"), unroll, vectorize])
    let loop = LLVMMetadataAsValue(context, description)!
    LLVMReplaceMDNodeOperandWith(loop, 0, description)
    LLVMSetMetadata(branch, kind, loop)
  }
}
