import Codegen
import LLVMBackend
import Support
import Targets

/// A kernel that does nothing but multiply and add in registers: what it reaches is the most that any kernel can.
///
///     for %i = 0 ..< rounds { %a0 = fma %x, %y, %a0; %a1 = fma %x, %y, %a1; ... }
///
/// Independent sums, more than the unit's latency times its width, so that every cycle starts what it can.
struct PeakKernel {
  enum Products: String, CaseIterable { case f32, u8s8 }

  let products: Products
  let kernel: Kernel
  /// Multiply-adds of one round.
  let work: Int

  static let rounds = 50_000
  /// Elements of the buffer that is read once, and of the one that takes the sum.
  static let elements = 256

  /// Nil where the machine has no such instruction.
  init?(_ products: Products, on profile: Profile) {
    if products == .u8s8, profile.dot4 == .none { return nil }
    self.products = products
    let lanes = profile.lanes(bits: 32)
    // Two registers hold the factors, and the machine's own needs get two.
    let sums = max(4, min(24, profile.vectorRegisters - 4))
    let unroll = 4
    let build = KernelBuilder(name: "peak_\(products.rawValue)")
    let scalar: LoopScalar = products == .f32 ? .f32 : .i8
    let sum = LoopType(products == .f32 ? .f32 : .i32, lanes: lanes)
    let factor = LoopType(scalar, lanes: products == .f32 ? lanes : 4 * lanes)
    let input = build.buffer("x", scalar, .read, elements: 2 * PeakKernel.elements)
    let output = build.buffer("y", sum.scalar, .write, elements: PeakKernel.elements)
    let rounds = build.scalar("rounds")
    let x = build.load(factor, Address(input))
    let y = build.load(factor, Address(input, offset: PeakKernel.elements))
    let start = (0..<sums).map { _ in build.zero(sum) }
    let results = build.forLoop(build.index(0), rounds, carrying: start) { _, carried in
      var values = carried
      for _ in 0..<unroll {
        for number in values.indices {
          values[number] =
            switch products {
            case .u8s8: build.dot4(values[number], unsigned: x, signed: y)
            case .f32 where profile.hasFMA: build.fma(x, y, values[number])
            // Depends on the sum, or the product would move out of the loop.
            case .f32: build.add(build.mul(values[number], x), y)
            }
        }
      }
      return values
    }
    var total = results[0]
    for value in results.dropFirst() { total = build.add(total, value) }
    build.store(total, Address(output))
    kernel = build.finish()
    work = sums * unroll * factor.lanes
  }

  /// Compiles the kernel into a shared library.
  func build(for profile: Profile, in folder: ScratchFolder) throws(Diagnostic) -> String {
    var machine = MachineOptions(profile)
    machine.exportsKernels = true
    let object = try LLVMBackend(machine).compile(kernel, to: .object)
    let toolchain = Toolchain(profile: profile, folder: folder.path)
    try toolchain.write(object, to: "\(kernel.name).o")
    try toolchain.linkShared(["\(kernel.name).o"], to: "\(folder.path)/\(kernel.name).so")
    return "\(folder.path)/\(kernel.name).so"
  }
}
