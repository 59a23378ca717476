import CMartlet
import Glibc
import LLVMBackend
import Support

/// A model compiled into this process: what a shared library would hold, without a file, a linker or a loader.
final class MemoryArtifact {
  /// The model's table, which `martlet.h` describes.
  let model: UnsafeRawPointer
  private let code: LoadedObjects
  private let weights: WeightsMemory

  init(_ builder: ArtifactBuilder) throws(Diagnostic) {
    let profile = builder.profile
    let arguments = Toolchain.pipedFlags(for: profile)
    WaitingCompiler.prepare(arguments)
    let text = Array(builder.source(.apart(declarations: RuntimeFiles.declarations)).utf8)
    // clang works on the tables while LLVM works on the kernels.
    let tables = BackgroundTask { () throws(Diagnostic) in try WaitingCompiler.compile(text, arguments) }
    let kernels = Result { () throws(Diagnostic) in try builder.compileKernels(to: .object) }
    let objects = [try tables.wait(), try RuntimeObject.bytes(for: profile, builder.cacheFolder)] + (try kernels.get())
    weights = try WeightsMemory(builder.weightsImage())
    code = try LoadedObjects(objects, symbols: ["\(builder.name)_weights_pointer": weights.pointer])
    let address = try code.address(of: "\(builder.name)_model")
    let function = unsafeBitCast(address, to: (@convention(c) () -> UnsafeRawPointer?).self)
    guard let model = function() else { throw .bug("\(builder.name)_model returns nothing") }
    self.model = model
  }

  /// Gives everything back. No context, pool or view of it may be left.
  func unload() {
    code.unload()
    weights.free()
  }
}
