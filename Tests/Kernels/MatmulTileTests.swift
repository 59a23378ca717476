import Codegen
import LLVMBackend
import TestGraphs
import TestSupport
import Testing

@Suite struct MatmulTileTests {
  static let tiles = [(14, 2, 2), (12, 2, 4), (8, 2, 8), (6, 4, 4), (7, 2, 4)]

  @Test func agreesWithTheInterpreter() throws {
    let kernels = Self.tiles.map { matmulTile(rows: $0.0, vectors: $0.1, depth: 16, unroll: $0.2) }
    let loaded = try LoadedKernels(kernels)
    for kernel in kernels {
      var random = Seeded(7)
      var buffers = kernel.buffers.map { buffer in
        (0..<(buffer.elements ?? 0)).flatMap { _ in random.float().bytes }
      }
      var expected = buffers
      #expect(try KernelInterpreter(kernel).run(&expected) == 0)
      #expect(try loaded.run(kernel.name, &buffers) == 0)
      #expect(buffers == expected)
    }
  }

  /// On the profile that the tiles are made for, whatever machine the test runs on.
  @Test func fitsTheRegisters() throws {
    var machine = MachineOptions(
      triple: "x86_64-pc-linux-gnu", cpu: "znver5", tuneCPU: "sapphirerapids", preferVectorWidth: 512)
    machine.hasFMA = true
    let backend = try LLVMBackend(machine)
    for (rows, vectors, unroll) in Self.tiles {
      for packed in [false, true] {
        let kernel = matmulTile(rows: rows, vectors: vectors, depth: 512, unroll: unroll, packedA: packed)
        let check = SpillCheck(assembly: String(decoding: try backend.compile(kernel, to: .assembly), as: UTF8.self))
        #expect(check.loops == 1)
        #expect(check.spills == [], "\(kernel.name)")
      }
    }
  }

  @Test func aTileTooLargeIsNoticed() throws {
    var machine = MachineOptions(triple: "x86_64-pc-linux-gnu", cpu: "znver5", preferVectorWidth: 512)
    machine.hasFMA = true
    let kernel = matmulTile(rows: 20, vectors: 2, depth: 512, unroll: 2)
    let text = String(decoding: try LLVMBackend(machine).compile(kernel, to: .assembly), as: UTF8.self)
    #expect(!SpillCheck(assembly: text).spills.isEmpty)
  }

  @Test func spillsOutsideOfLoopsAreFine() {
    let text = """
      f:
      \tvmovaps\t%zmm1, 64(%rsp)  # 64-byte Spill
      .LBB0_1:
      \tvmovaps\t(%rsp), %zmm2
      \tmovq\t8(%rsp), %rax  # 8-byte Reload
      \tjne\t.LBB0_1
      \tvmovaps\t64(%rsp), %zmm1  # 64-byte Reload
      """
    #expect(SpillCheck(assembly: text).spills == [])
    let inside = text.replacing("(%rsp), %zmm2", with: "(%rsp), %zmm2  # 64-byte Reload")
    #expect(SpillCheck(assembly: inside).spills.map(\.line) == [4])
    let operand = text.replacing(
      "vmovaps\t(%rsp), %zmm2", with: "vaddps\t(%rsp), %zmm2, %zmm2  # 64-byte Folded Reload")
    #expect(SpillCheck(assembly: operand).spills == [])
    let changing = operand.replacing("\tjne", with: "\tvmovaps\t%zmm1, (%rsp)  # 64-byte Spill\n\tjne")
    #expect(SpillCheck(assembly: changing).spills.map(\.line) == [4, 6])
  }

  @Test func pairsOfPlainRegistersAreNoVectors() {
    let text = """
      .LBB0_1:
      \tldp\tx8, x9, [sp, #16]  // 16-byte Folded Reload
      \tldp\tq8, q9, [sp, #32]  // 32-byte Folded Reload
      \tb.lt\t.LBB0_1
      """
    #expect(SpillCheck(assembly: text).innermost.map(\.line) == [3])
  }

  @Test func compilesInParallelInOrder() throws {
    let kernels = (1...9).map { matmulTile(rows: $0, vectors: 1, depth: 8, unroll: 1, lanes: 8) }
    let backend = try LLVMBackend(.host())
    let parallel = try backend.compileAll(kernels, to: .object, threads: 3)
    #expect(try parallel == kernels.map { kernel in try backend.compile(kernel, to: .object) })
  }
}
