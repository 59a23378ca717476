import Driver
import Foundation
import IR
import Support
import TestSupport
import Testing

/// Names come from files: whatever they are, the artifact builds, its header compiles, and nothing of them is taken
/// for C.
@Suite(.serialized) struct OddNamesTests {
  private static let names = [
    "x", "x_dims", "status", "context", "inputs", "NULL", "int", "and", "linux", "martlet_call", "odd_model", "s", "",
    "a\"b", "a\\", "*/\u{301} int y; /*", "line\nbreak ??/", "größe", "0", "x_1", "odd_status", "MARTLET_F32",
  ]
  /// Among them what the artifact's own parts are called.
  private static let entries = [
    "table", "entries", "entry0_run", "entry0", "create", "*\\\n/ */", "int", "config", "model", "",
  ]

  private func module() throws -> Module {
    var module = Module(name: "*/\u{301}\n#error")
    for symbol in ["status", "x_dims", "int64_t"] { module.declare(symbol: symbol, in: 1...8) }
    for entry in Self.entries {
      var builder = GraphBuilder(module: module, function: Function(name: entry))
      let rows = Dim.maximum((Dim.symbol("x_dims") - 7).floorDivided(by: 2), 1)
      let shapes: [[Dim]] = [[.symbol("status")], [rows, .symbol("x_dims"), .symbol("int64_t")]]
      let values = Self.names.enumerated().map { builder.argument($1, ValueFact(.f32, shapes[$0 % 2])) }
      let results = try values.map { try builder.add(Unary(.neg), $0) }
      builder.function.setResults(results.enumerated().map { ("y" + Self.names[$0], $1) })
      module = builder.finish()
    }
    return module
  }

  @Test(arguments: ["odd", "a", "int_"]) func headersCompile(_ name: String) throws {
    let folder = try TestFolder()
    try CompiledModule.build(try module(), .shared, target: "host", name: name, to: folder["\(name).so"])
    let text = try String(contentsOfFile: folder["\(name).h"], encoding: .utf8)
    #expect(text.utf8.allSatisfy { $0 >= 0x20 || $0 == 0x0a })
    for (compiler, language) in [("cc", "c"), ("c++", "c++")] {
      try TestTool.run(
        compiler, ["-Wall", "-Wextra", "-Werror", "-x", language, "-fsyntax-only", folder["\(name).h"]])
    }
    let compiled = try CompiledModule(loading: folder["\(name).so"], name: name)
    let context = try compiled.makeContext()
    for entry in Self.entries {
      let inputs = Self.names.indices.map { Inputs.floats($0 % 2 == 0 ? [3] : [1, 5, 2], seed: UInt64($0)) }
      #expect(try context.run(entry, inputs).count == Self.names.count)
    }
  }

  @Test func headersKnowExtents() throws {
    // Where the numerator is negative, C rounds another way; and a divisor may be a product.
    var builder = GraphBuilder(module: Module(name: "m"), function: Function(name: "main"))
    builder.module.declare(symbol: "n", in: 1...100)
    let rows = (Dim.symbol("n") - 5).floorDivided(by: 4) + 2
    let x = builder.argument("x", ValueFact(.f32, [.symbol("n"), rows]))
    builder.function.setResults([("y", try builder.add(Unary(.neg), x))])
    let folder = try TestFolder()
    try CompiledModule.build(builder.finish(), .shared, target: "host", name: "m", to: folder["m.so"])
    let program = """
      #include "m.h"
      int main(void) {
        float x[3 * 2] = {1, 2, 3}, y[3 * 2] = {0};
        m_context *context = m_create(NULL);
        if (!context || m_main(context, 3, x, y)) return 1;
        return y[2] != -3;
      }
      """
    try program.write(toFile: folder["main.c"], atomically: true, encoding: .utf8)
    try TestTool.run("cc", ["-I.", "main.c", "m.so", "-o", "program", "-Wl,-rpath,$ORIGIN"], in: folder.path)
    try TestTool.run(folder["program"], [])
  }
}
