import CLLVM
import Codegen
import Support

/// One LLVM module with its context and instruction builder, from empty to bytes.
final class KernelModule {
  let context: LLVMContextRef
  let module: LLVMModuleRef
  let builder: LLVMBuilderRef
  private let name: String
  private let session: TargetSession

  init(_ name: String, _ machine: MachineOptions, _ session: TargetSession) {
    self.name = name
    self.session = session
    context = LLVMContextCreate()
    module = LLVMModuleCreateWithNameInContext(name, context)
    builder = LLVMCreateBuilderInContext(context)
    LLVMSetTarget(module, machine.triple)
    let layout = LLVMCreateTargetDataLayout(session.machine)
    LLVMSetModuleDataLayout(module, layout)
    LLVMDisposeTargetData(layout)
  }

  deinit {
    LLVMDisposeBuilder(builder)
    LLVMDisposeModule(module)
    LLVMContextDispose(context)
  }

  func verify() throws(Diagnostic) {
    var message: UnsafeMutablePointer<CChar>?
    let broken = LLVMVerifyModule(module, LLVMReturnStatusAction, &message)
    let reason = TargetSession.take(message)
    if broken != 0 { throw .bug("kernel @\(name) lowers to invalid LLVM IR: \(reason)") }
  }

  /// Generators write what they mean: tiles, unrolling and order are final. What
  /// is left to do is algebra on addresses, hoisting and dead code.
  static let pipeline =
    "function(sroa,early-cse<memssa>,simplifycfg,instcombine<no-verify-fixpoint>,"
    + "loop-mssa(licm),early-cse<memssa>,instcombine<no-verify-fixpoint>,simplifycfg,adce)"

  func optimize() throws(Diagnostic) {
    let options = LLVMCreatePassBuilderOptions()
    defer { LLVMDisposePassBuilderOptions(options) }
    LLVMPassBuilderOptionsSetLoopVectorization(options, 0)
    LLVMPassBuilderOptionsSetSLPVectorization(options, 0)
    LLVMPassBuilderOptionsSetLoopUnrolling(options, 0)
    LLVMPassBuilderOptionsSetLoopInterleaving(options, 0)
    guard let error = LLVMRunPasses(module, KernelModule.pipeline, session.machine, options) else {
      return SingleLaneStores(context: context, module: module, builder: builder).rewrite()
    }
    let message = LLVMGetErrorMessage(error)
    defer { LLVMDisposeErrorMessage(message) }
    throw .bug("kernel @\(name): \(message.map { String(cString: $0) } ?? "passes failed")")
  }

  func emit(_ kind: OutputKind) throws(Diagnostic) -> [UInt8] {
    switch kind {
    case .llvm:
      guard let text = LLVMPrintModuleToString(module) else { throw .bug("kernel @\(name) does not print") }
      defer { LLVMDisposeMessage(text) }
      return Array(String(cString: text).utf8)
    case .object: return try emit(LLVMObjectFile)
    case .assembly:
      // The comments tell spills from accesses of arrays.
      LLVMSetTargetMachineAsmVerbosity(session.machine, 1)
      return try emit(LLVMAssemblyFile)
    }
  }

  private func emit(_ type: LLVMCodeGenFileType) throws(Diagnostic) -> [UInt8] {
    var message: UnsafeMutablePointer<CChar>?
    var buffer: LLVMMemoryBufferRef?
    if LLVMTargetMachineEmitToMemoryBuffer(session.machine, module, type, &message, &buffer) != 0 {
      throw .bug("kernel @\(name): LLVM emits nothing: \(TargetSession.take(message))")
    }
    guard let buffer else { throw .bug("kernel @\(name): LLVM emits nothing") }
    defer { LLVMDisposeMemoryBuffer(buffer) }
    let start = LLVMGetBufferStart(buffer)
    return Array(UnsafeRawBufferPointer(start: start, count: LLVMGetBufferSize(buffer)))
  }
}
