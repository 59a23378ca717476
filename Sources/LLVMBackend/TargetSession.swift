import CLLVM
import Codegen
import Glibc
import Support

/// LLVM's process-wide state, set up once.
enum LLVMProcess {
  static let ready: Bool = {
    LLVMInitializeAllTargetInfos()
    LLVMInitializeAllTargets()
    LLVMInitializeAllTargetMCs()
    LLVMInitializeAllAsmPrinters()
    LLVMInitializeAllAsmParsers()
    // An error that LLVM cannot return ends the process; it shall not do so silently.
    LLVMInstallFatalErrorHandler { reason in
      let text = reason.map { String(cString: $0) } ?? "no reason given"
      let line = "martlet: LLVM cannot go on: \(text)\n"
      line.withCString { _ = write(2, $0, strlen($0)) }
      _exit(Diagnostic.Kind.internal.rawValue)
    }
    return true
  }()
}

/// One target machine of LLVM. It belongs to one thread at a time.
final class TargetSession {
  let machine: LLVMTargetMachineRef

  init(_ options: MachineOptions) throws(Diagnostic) {
    guard LLVMProcess.ready else { throw .bug("LLVM did not start") }
    var target: LLVMTargetRef?
    var message: UnsafeMutablePointer<CChar>?
    if LLVMGetTargetFromTriple(options.triple, &target, &message) != 0 {
      let reason = TargetSession.take(message)
      throw .unsupported("LLVM has no target for \(options.triple): \(reason)", hint: "run `martlet targets`")
    }
    let settings = LLVMCreateTargetMachineOptions()
    defer { LLVMDisposeTargetMachineOptions(settings) }
    LLVMTargetMachineOptionsSetCPU(settings, options.cpu)
    LLVMTargetMachineOptionsSetFeatures(settings, options.features)
    LLVMTargetMachineOptionsSetCodeGenOptLevel(settings, LLVMCodeGenLevelAggressive)
    LLVMTargetMachineOptionsSetRelocMode(
      settings, options.isPositionIndependent ? LLVMRelocPIC : LLVMRelocStatic)
    LLVMTargetMachineOptionsSetCodeModel(settings, LLVMCodeModelDefault)
    guard let machine = LLVMCreateTargetMachineWithOptions(target, options.triple, settings) else {
      throw .unsupported("LLVM cannot generate code for \(options.triple), \(options.cpu)")
    }
    self.machine = machine
  }

  deinit { LLVMDisposeTargetMachine(machine) }

  static func take(_ message: UnsafeMutablePointer<CChar>?) -> String {
    guard let message else { return "no reason given" }
    defer { LLVMDisposeMessage(message) }
    let lines = String(cString: message).split(separator: "\n")
    return lines.first.map(String.init) ?? "no reason given"
  }
}
