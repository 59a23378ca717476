import CLLVM
import Support

/// Objects linked together in this process's memory, from where they run.
///
/// This is what a linker and a loader would do with files, in a millisecond instead of thirty.
public final class LoadedObjects {
  private let session: LLVMOrcLLJITRef

  /// `objects` find each other's symbols, hidden ones too, those given by address, and those of the C library.
  public init(_ objects: [[UInt8]], symbols: [String: UnsafeRawPointer] = [:]) throws(Diagnostic) {
    guard LLVMProcess.ready else { throw .bug("LLVM did not start") }
    var session: LLVMOrcLLJITRef?
    try LoadedObjects.check(LLVMOrcCreateLLJIT(&session, nil))
    guard let session else { throw .bug("LLVM makes no session to load code into") }
    self.session = session
    let library = LLVMOrcLLJITGetMainJITDylib(session)
    var defined = symbols.map { name, address in
      LLVMOrcCSymbolMapPair(
        Name: LLVMOrcLLJITMangleAndIntern(session, name),
        Sym: LLVMJITEvaluatedSymbol(
          Address: LLVMOrcExecutorAddress(UInt(bitPattern: address)),
          Flags: LLVMJITSymbolFlags(GenericFlags: UInt8(LLVMJITSymbolGenericFlagsExported.rawValue), TargetFlags: 0)))
    }
    if !defined.isEmpty {
      try LoadedObjects.check(LLVMOrcJITDylibDefine(library, LLVMOrcAbsoluteSymbols(&defined, defined.count)))
    }
    for (number, object) in objects.enumerated() {
      let buffer = object.withUnsafeBytes {
        LLVMCreateMemoryBufferWithMemoryRangeCopy(
          $0.baseAddress?.assumingMemoryBound(to: CChar.self), $0.count, "object \(number)")
      }
      try LoadedObjects.check(LLVMOrcLLJITAddObjectFile(session, library, buffer))
    }
  }

  /// Where a symbol of the objects lies. It stays there until `unload`.
  public func address(of symbol: String) throws(Diagnostic) -> UnsafeRawPointer {
    var address: LLVMOrcExecutorAddress = 0
    try LoadedObjects.check(LLVMOrcLLJITLookup(session, &address, symbol))
    guard let pointer = UnsafeRawPointer(bitPattern: UInt(address)) else {
      throw .bug("\(symbol) is loaded nowhere")
    }
    return pointer
  }

  /// Gives the memory back; nothing in it may be in use. To be called once: it does not happen by itself, for pointers
  /// into the code may outlive this object.
  public func unload() {
    guard let error = LLVMOrcDisposeLLJIT(session) else { return }
    LLVMConsumeError(error)
  }

  private static func check(_ error: LLVMErrorRef?) throws(Diagnostic) {
    guard let error else { return }
    let message = LLVMGetErrorMessage(error)
    defer { LLVMDisposeErrorMessage(message) }
    throw .bug("compiled code cannot be loaded: \(message.map { String(cString: $0) } ?? "no reason given")")
  }
}
