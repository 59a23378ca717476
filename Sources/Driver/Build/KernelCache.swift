import Codegen
import LLVMBackend
import Support
import Targets

/// Compiled kernels in the cache folder, by everything that decides their bytes: the loop IR, the machine, the versions
/// of Martlet and LLVM, and the very build of Martlet.
struct KernelCache: Sendable {
  private let folder: CacheFolder
  private let salt: String

  init(_ folder: CacheFolder, _ profile: Profile) {
    self.folder = folder
    salt = "\(martletVersion) \(ArtifactStore.ownIdentity) llvm \(LLVMBackend.version) \(MachineOptions(profile))"
  }

  func object(for kernel: Kernel) -> [UInt8]? { folder.read(name(kernel)) }

  /// A cache that cannot be written is no reason to fail.
  func store(_ object: [UInt8], for kernel: Kernel) { try? folder.write(object, name(kernel)) }

  private func name(_ kernel: Kernel) -> String { "\(ContentHash.of(salt + kernel.name)).o" }
}
