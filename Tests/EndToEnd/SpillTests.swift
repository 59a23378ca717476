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
  static let models = ["matmul768", "conv128", "conv512", "quantized", "attention"]

  /// Where a spill is a fault, rather than a figure.
  static let strict: Set<String> = ["znver5", "x86-64-v4"]

  @Test(arguments: ["znver5", "x86-64-v4", "x86-64-v3", "aarch64"]) func loopsKeepTheirRegisters(_ target: String)
    throws
  {
    let backend = try LLVMBackend(MachineOptions(try Profile.named(target)))
    for name in Self.models {
      var options = CompileOptions()
      options.target = target
      var compilation = try Compilation(try Self.model(name), options)
      let kernels = try compilation.schedule().kernels
      let texts = try backend.compileAll(kernels, to: .assembly)
      for (kernel, text) in zip(kernels, texts) {
        let check = SpillCheck(assembly: String(decoding: text, as: UTF8.self))
        if !check.spills.isEmpty {
          print(
            "\(target), \(name): \(kernel.name) has \(check.innermost.count) spills in innermost loops, "
              + "\(check.spills.count) in all \(check.loops) loops")
        }
        guard Self.strict.contains(target) else { continue }
        #expect(check.innermost == [], "\(name) for \(target): \(kernel.name)")
      }
    }
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
