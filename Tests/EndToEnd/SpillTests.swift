import Codegen
@testable import Driver
import IR
import LLVMBackend
import Support
import Targets
import TestGraphs
import Testing

/// The tiles that models get fit the registers: no innermost loop saves a vector to the stack.
@Suite struct SpillTests {
  static let targets = [
    "znver5", "znver4", "icelake", "x86-64-v4", "x86-64-v3", "aarch64", "neoverse-v2", "riscv64gcv",
  ]
  static let models = ["matmul768", "conv128", "conv512", "quantized", "attention"]

  @Test(arguments: targets) func loopsKeepTheirRegisters(_ target: String) throws {
    for name in Self.models { try Self.check(try Self.model(name), name, target) }
  }

  /// Every height and some widths, so that the edges' tiles are looked at too.
  @Test(arguments: targets) func tilesOfEveryHeightKeepTheirRegisters(_ target: String) throws {
    for (left, right, result) in [("f32", ElementType.f32, "f32"), ("u8", .i8, "i32")] {
      var loops = 0
      for rows in [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 27] {
        for columns in [16, 40, 96] {
          let module = try Self.contraction(
            "%x: \(left)[\(rows), 256]", right, [256, columns], "matmul %x, @w", "\(result)[\(rows), \(columns)]")
          loops += try Self.check(module, "\(left) \(rows)x256x\(columns)", target)
        }
      }
      #expect(loops >= 45, "each product has a loop")
    }
  }

  /// Checks all kernels of a model; gives how many loops were looked at.
  @discardableResult
  private static func check(_ module: Module, _ name: String, _ target: String) throws -> Int {
    var options = CompileOptions()
    options.target = target
    var compilation = try Compilation(module, options)
    let kernels = try compilation.schedule().kernels
    let texts = try LLVMBackend(MachineOptions(try Profile.named(target))).compileAll(kernels, to: .assembly)
    var loops = 0
    for (kernel, text) in zip(kernels, texts) {
      let check = SpillCheck(assembly: String(decoding: text, as: UTF8.self))
      loops += check.loops
      #expect(check.innermost.count == 0, "\(name) for \(target): \(kernel.name): \(check.innermost.count) spills")
    }
    return loops
  }

  private static func model(_ name: String) throws -> Module {
    switch name {
    case "matmul768": try contraction("%x: f32[768, 768]", .f32, [768, 768], "matmul %x, @w", "f32[768, 768]")
    case "conv128":
      try contraction(
        "%x: f32[1, 28, 28, 128]", .f32, [128, 3, 3, 128], "conv %x, @w {padding = [1, 1, 1, 1]}", "f32[1, 28, 28, 128]"
      )
    case "conv512":
      try contraction(
        "%x: f32[1, 7, 7, 512]", .f32, [512, 3, 3, 512], "conv %x, @w {padding = [1, 1, 1, 1]}", "f32[1, 7, 7, 512]")
    case "quantized": try contraction("%x: u8[768, 768]", .i8, [768, 768], "matmul %x, @w", "i32[768, 768]")
    default: try TestPaths.model(name)
    }
  }

  private static func contraction(
    _ argument: String, _ element: ElementType, _ shape: [Int], _ op: String, _ result: String
  ) throws -> Module {
    let text = """
      module @m {
        weight @w : \(element.rawValue)[\(shape.map(String.init).joined(separator: ", "))] = external
        entry @main(\(argument)) -> (%y: \(result)) {
          %y = \(op) : \(result)
          return %y
        }
      }
      """
    return try ModuleParser.parse(text, file: "m.mir", weights: ShapeOnlyWeights())
  }
}
