import IR
import Support
import Targets
import Testing

@testable import Codegen

/// Batches that share the right matrix are rows of one product, whatever axis they lie on.
@Suite struct MergedBatchTests {
  private func products(_ left: String, _ result: String, _ element: String = "f32") throws -> [String] {
    let text = """
      module @m {
        symbol n in 1...64
        entry @main(%x: \(element)[\(left)], %w: \(element == "f32" ? "f32" : "i8")[16, 24]) -> (%y: \(element == "f32" ? "f32" : "i32")[\(result)]) {
          %y = matmul %x, %w : \(element == "f32" ? "f32" : "i32")[\(result)]
          return %y
        }
      }
      """
    let program = try Scheduler.schedule(try ModuleParser.parse(text, file: "m.mir"), for: try Profile.named("znver5"))
    return program.kernels.map(\.name).filter { $0.contains("matmul") }
  }

  @Test(arguments: ["f32", "u8", "i8"]) func singleRowsMerge(_ element: String) throws {
    let flat = try products("40, 16", "40, 24", element)
    #expect(flat.count == 1)
    for shape in ["40, 1", "1, 40", "8, 5", "8, 5, 1", "8, 1, 5", "8, 1, 5, 1"] {
      #expect(try products("\(shape), 16", "\(shape), 24", element) == flat, "\(shape)")
    }
  }

  @Test func openBatchesMerge() throws {
    let flat = try products("n, 16", "n, 24")
    #expect(try products("n, 1, 16", "n, 1, 24") == flat)
    #expect(try products("1, n, 1, 16", "1, n, 1, 24") == flat)
  }
}
