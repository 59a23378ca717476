import Codegen
import LLVMBackend
import Support
import Targets
import Testing

/// Code for machines that this one cannot run still has to stand alone.
@Suite struct ForeignTargetTests {
  static let machines: [(name: String, machine: MachineOptions)] = {
    var all: [(String, MachineOptions)] = []
    var arm = MachineOptions(triple: "aarch64-linux-gnu", cpu: "generic")
    arm.hasFMA = true
    arm.hasRounding = true
    arm.hasF16Conversion = true
    for dot in [MachineOptions.DotProduct.widening, .signed, .i8mm] {
      arm.dotProduct = dot
      arm.features = "+dotprod,+i8mm"
      all.append(("aarch64 \(dot)", arm))
    }
    all.append(("riscv64", MachineOptions(triple: "riscv64-linux-gnu", cpu: "generic-rv64", features: "+m,+f,+d")))
    return all
  }()

  @Test(arguments: machines.indices) func callsNothing(_ number: Int) throws {
    let (name, machine) = Self.machines[number]
    let kernels = OperationTests.all.filter { [1, 4, 16].contains($0.lanes) }.map(\.kernel)
    let outputs = try LLVMBackend(machine).compileAll(kernels, to: .assembly)
    var called: Set<String> = []
    for (kernel, output) in zip(kernels, outputs) {
      for line in String(decoding: output, as: UTF8.self).split(separator: "\n") {
        let words = line.split(whereSeparator: { $0 == "\t" || $0 == " " })
        guard words.count >= 2, ["bl", "call", "tail", "callq"].contains(words[0]) else { continue }
        if !words[1].hasPrefix(kernel.name + ".") { called.insert(String(words[1])) }
      }
    }
    #expect(called == [], "\(name)")
  }

  @Test func everyProfileCompiles() throws {
    let kernels = [matmulTile(rows: 4, vectors: 1, depth: 8, unroll: 2, lanes: 4)]
    for profile in try Profile.all {
      let objects = try LLVMBackend(MachineOptions(profile)).compileAll(kernels, to: .object)
      let magic: [UInt8] =
        switch profile.format {
        case .elf: [0x7f, 0x45, 0x4c, 0x46]
        case .macho: [0xcf, 0xfa, 0xed, 0xfe]
        case .wasm: [0x00, 0x61, 0x73, 0x6d]
        }
      #expect(objects[0].starts(with: magic), "\(profile.name)")
    }
  }

  @Test func unknownTargetsAreUnsupported() {
    #expect(throws: Diagnostic.self) { try LLVMBackend(MachineOptions(triple: "pdp11-dec-unix", cpu: "generic")) }
  }
}
