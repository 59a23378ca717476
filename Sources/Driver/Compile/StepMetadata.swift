import Codegen
import IR
import Support

/// What an artifact with a profile says of its steps besides their names.
enum StepMetadata {
  static func json(_ program: Program, _ module: Module) -> JSON {
    let ops = SourceOps(module)
    let kernels = Dictionary(program.kernels.map { ($0.name, $0) }, uniquingKeysWith: { a, _ in a })
    return .array(
      program.profiledSteps.map { step in
        var products = "f32"
        var kernel = ""
        if case .kernel(let name) = step.work {
          kernel = name
          if kernels[name]?.hasByteProducts ?? false { products = "u8s8" }
        }
        return .object([
          JSON.Member("entry", .int(step.entry)),
          JSON.Member("names", .array(ops.names(of: step.site).map { .string($0) })),
          JSON.Member("kind", .string(ops.kind(of: step))), JSON.Member("kernel", .string(kernel)),
          JSON.Member("products", .string(products)),
        ])
      })
  }
}
