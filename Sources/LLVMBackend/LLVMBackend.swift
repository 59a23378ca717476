import CLLVM
import Codegen
import Glibc
import Support
import Synchronization

/// What a kernel becomes.
public enum OutputKind: String, Hashable, Sendable, CaseIterable {
  case object
  case assembly = "asm"
  case llvm
}

/// Lowers kernels of loop IR to machine code, each in a module and a context of its own.
///
/// A compiled kernel is a function
///
///     int32_t <name>(void *const *buffers, const int64_t *scalars, int64_t thread, int64_t threads)
///
/// that returns zero or the status of the first failed check. No two buffers of
/// one call may overlap, unless nothing writes to them.
public struct LLVMBackend: Sendable {
  public let machine: MachineOptions

  public init(_ machine: MachineOptions) throws(Diagnostic) {
    self.machine = machine
    _ = try TargetSession(machine)
  }

  /// LLVM's version, which cache keys hold.
  public static var version: String {
    var major: UInt32 = 0
    var minor: UInt32 = 0
    var patch: UInt32 = 0
    LLVMGetVersion(&major, &minor, &patch)
    return "\(major).\(minor).\(patch)"
  }

  public func compile(_ kernel: Kernel, to kind: OutputKind) throws(Diagnostic) -> [UInt8] {
    try compile(kernel, to: kind, in: TargetSession(machine))
  }

  fileprivate func compile(_ kernel: Kernel, to kind: OutputKind, in session: TargetSession) throws(Diagnostic)
    -> [UInt8]
  {
    // LLVM's builders crash on ill-typed operands, so nothing unverified gets there.
    do throws(Diagnostic) { try kernel.verify() } catch { throw .bug(error.message, at: error.location) }
    let module = KernelModule(kernel.name, machine, session)
    try KernelLowering(kernel, in: module, for: machine).lower()
    try module.verify()
    try module.optimize()
    return try module.emit(kind)
  }

  /// Compiles all kernels on `threads` threads. Results are in the order of the
  /// kernels, and so is the error: that of the first kernel that failed.
  /// `progress` gets how many are done; it is called from any thread.
  public func compileAll(
    _ kernels: [Kernel], to kind: OutputKind, threads: Int = 0, progress: (@Sendable (Int) -> Void)? = nil
  ) throws(Diagnostic) -> [[UInt8]] {
    let wanted = threads > 0 ? threads : max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN)))
    let work = CompileQueue(kernels, self, kind, progress)
    WorkerThreads.run(min(wanted, kernels.count)) { work.drain() }
    return try work.results()
  }
}

/// Kernels to compile and what became of them. Workers take the next one until none is left.
private final class CompileQueue: Sendable {
  private let kernels: [Kernel]
  private let backend: LLVMBackend
  private let kind: OutputKind
  private let progress: (@Sendable (Int) -> Void)?
  private let next = Atomic<Int>(0)
  private let done = Atomic<Int>(0)
  private let finished: Mutex<[Result<[UInt8], Diagnostic>?]>

  init(_ kernels: [Kernel], _ backend: LLVMBackend, _ kind: OutputKind, _ progress: (@Sendable (Int) -> Void)?) {
    self.kernels = kernels
    self.backend = backend
    self.kind = kind
    self.progress = progress
    finished = Mutex(Array(repeating: nil, count: kernels.count))
  }

  func drain() {
    var session: TargetSession?
    while true {
      let number = next.wrappingAdd(1, ordering: .relaxed).oldValue
      guard number < kernels.count else { return }
      let result = compile(number, &session)
      finished.withLock { $0[number] = result }
      progress?(done.wrappingAdd(1, ordering: .relaxed).newValue)
    }
  }

  private func compile(_ number: Int, _ session: inout TargetSession?) -> Result<[UInt8], Diagnostic> {
    do throws(Diagnostic) {
      if session == nil { session = try TargetSession(backend.machine) }
      guard let session else { throw .bug("LLVM has no target machine") }
      return .success(try backend.compile(kernels[number], to: kind, in: session))
    } catch {
      return .failure(error)
    }
  }

  func results() throws(Diagnostic) -> [[UInt8]] {
    let all = finished.withLock { $0 }
    var outputs: [[UInt8]] = []
    outputs.reserveCapacity(all.count)
    for result in all {
      guard let result else { throw .bug("a kernel was never compiled") }
      outputs.append(try result.get())
    }
    return outputs
  }
}
