import Foundation
import Support
import TestSupport
import Testing

/// `reduce`: what is left of a graph that fails.
@Suite struct ReduceTests {
  /// Something of everything: weights, several outputs, a symbol, a loop, constants.
  private static let mixed = """
    module @mixed {
      symbol n in 1...64
      weight @w : f32[8, 8] = [\(Array(repeating: "0.5", count: 64).joined(separator: ", "))]
      entry @main(%x: f32[n, 8], %unused: f32[3]) -> (%a: f32[n, 8], %b: f32[n, 8], %c: f32[n, 8]) {
        %trip = constant {value = i64[] [3]} : i64[]
        %0 = matmul %x, @w : f32[n, 8] loc "src:first"
        %1 = relu %0 : f32[n, 8]
        %2 = loop %trip, _, %1 body(%i: i64[], %t: bool[], %s: f32[n, 8]) {
          %3 = exp %s : f32[n, 8]
          %4 = tanh %3 : f32[n, 8] loc "src:guilty"
          %5 = neg %4 : f32[n, 8]
          yield %t, %5
        } : f32[n, 8]
        %6 = softmax %2 {axis = 1} : f32[n, 8]
        %7 = add %6, %1 : f32[n, 8]
        %8 = neg %7 : f32[n, 8]
        %9 = sigmoid %8 : f32[n, 8] loc "src:other"
        return %7, %8, %9
      }
    }
    """

  private func reduce(_ model: String, _ folder: TestFolder, _ arguments: [String]) throws -> Martlet.Outcome {
    try Martlet.run(Martlet.path, ["reduce", model, "-o", folder["small.mir"]] + arguments)
  }

  private func small(_ folder: TestFolder) throws -> String {
    String(decoding: try folder.read("small.mir"), as: UTF8.self)
  }

  /// A fault that sits at one op: the op alone is left, with what it reads as inputs.
  @Test func findsTheOpThatACommandAsksFor() throws {
    let folder = try TestFolder()
    let model = try folder.write(Self.mixed, to: "mixed.mir")
    let result = try reduce(model, folder, ["--json", "--", "grep", "-q", "sigmoid"])
    #expect(result.status == 0, "\(result.errors)")
    let json = try result.json
    #expect(json["before"] == ["ops": 10, "inputs": 2, "outputs": 3])
    #expect(json["after"] == ["ops": 1, "inputs": 1, "outputs": 1] && json["complete"] == true)
    let text = try small(folder)
    #expect(text.contains("src:other") && !text.contains("weight") && !text.contains("unused"))
    // What is written can be used.
    #expect(try Martlet.run("inspect", folder["small.mir"]).status == 0)
  }

  /// In a loop, the loop stays, and little else in it.
  @Test func entersRegions() throws {
    let folder = try TestFolder()
    let model = try folder.write(Self.mixed, to: "mixed.mir")
    let result = try reduce(model, folder, ["--", "sh", "-c", "grep -q tanh {} && grep -q loop {}"])
    #expect(result.status == 0, "\(result.errors)")
    let line = "\(folder["small.mir"]): 10 ops to 2, 2 inputs to 1, 3 outputs to 1 in "
    #expect(result.output.hasPrefix(line) && result.output.hasSuffix(" trials\n"), "\(result.output)")
    #expect(try small(folder).contains("tanh"))
  }

  /// Bits that differ from the definition's: the fault stays, with the very numbers that show it.
  @Test func keepsWrongResults() throws {
    let folder = try TestFolder()
    let model = try folder.write(Self.mixed, to: "mixed.mir")
    let strict = ["--rtol", "0", "--atol", "0"]
    let result = try reduce(
      model, folder,
      ["--fails", "verify", "--shape", "x=6x8", "--random", "3", "--save-inputs", folder["in"], "--json"] + strict)
    #expect(result.status == 0, "\(result.errors)")
    #expect(try result.json["after"]?["ops"]?.int ?? 9 <= 2)
    // The same inputs show it to the command that looks at one graph.
    let inputs = try JSON.parse(Array(try folder.read("in/inputs.json")), file: "inputs.json").array ?? []
    let given = inputs.flatMap {
      ["--input", "\($0["name"]?.string ?? "")=\(folder["in"])/\($0["file"]?.string ?? "")"]
    }
    let shown = try Martlet.run(Martlet.path, ["bisect", folder["small.mir"]] + given + strict)
    #expect(shown.status == 1, "\(shown.output)\(shown.errors)")
  }

  /// What has no code is found by what compiling says, and not taken for another such op.
  @Test func keepsTheSameRefusal() throws {
    let folder = try TestFolder()
    let model = try folder.write(
      """
      module @m {
        entry @main(%x: f32[3]) -> (%y: f32[3], %z: str[3]) {
          %0 = neg %x : f32[3]
          %1 = string_format %0 : str[3] loc "src:text"
          %2 = string_parse %1 {to = f32} : f32[3] loc "src:number"
          %3 = exp %2 : f32[3]
          return %3, %1
        }
      }
      """, to: "m.mir")
    let result = try reduce(model, folder, ["--fails", "compile", "--json"])
    #expect(result.status == 0, "\(result.errors)")
    #expect(try result.json["after"]?["ops"] == 1)
    #expect(try small(folder).contains("src:text"))
    let message = try Martlet.run("compile", folder["small.mir"], "-o", folder["m.so"], "--no-cache")
    #expect(message.status == 3 && message.errors.contains("src:text"))
  }

  @Test func whatDoesNotFailIsRefused() throws {
    let folder = try TestFolder()
    let model = try folder.write(Model.dense, to: "dense.mir")
    for (arguments, status) in [
      (["--fails", "compile"], 1), (["--fails", "passes", "--shape", "x=2x24"], 1), (["--", "false"], 1),
      ([], 2), (["--fails", "compile", "--", "true"], 2), (["--fails", "often"], 2), (["--", "no-such-program"], 2),
    ] as [([String], Int32)] {
      let result = try reduce(model, folder, arguments)
      #expect(result.status == status && result.isOneLine, "\(arguments): \(result.errors)")
    }
    #expect(!FileManager.default.fileExists(atPath: folder["small.mir"]))
    let object = try Martlet.run("reduce", model, "-o", folder["m.so"], "--fails", "compile")
    #expect(object.status == 2)
  }

  /// Limits end the search with what there is.
  @Test func limitsHold() throws {
    let folder = try TestFolder()
    let model = try folder.write(Self.mixed, to: "mixed.mir")
    let result = try reduce(model, folder, ["--trials", "3", "--json", "--", "grep", "-q", "sigmoid"])
    #expect(result.status == 0, "\(result.errors)")
    #expect(try result.json["trials"] == 3 && result.json["complete"] == false)
    #expect(try small(folder).contains("sigmoid"))
  }
}
