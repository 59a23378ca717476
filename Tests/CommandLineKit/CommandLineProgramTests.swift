import Support
import Testing

@testable import CommandLineKit

@Suite struct CommandLineProgramTests {
  @Test func statusesAreThoseOfTheContract() {
    let kinds: [Diagnostic.Kind: Int32] = [.invalid: 1, .usage: 2, .unsupported: 3, .internal: 70]
    for (kind, status) in kinds {
      let program = Sample.program { (_: Arguments) throws(Diagnostic) in throw Diagnostic(kind, "on purpose") }
      #expect(program.run(["build", "m", "-o", "x"]) == status)
    }
    #expect(Sample.program().run(["build", "m", "-o", "x"]) == 0)
    #expect(Sample.program { _ in .checkFailed }.run(["build", "m", "-o", "x"]) == 1)
    #expect(Sample.program().run(["biuld"]) == 2)
    #expect(Sample.program().run(["--verson"]) == 2)
    #expect(Sample.program().run(["help", "nothing"]) == 2)
  }

  @Test func bugsSayHowToReproduceThem() {
    let line = Sample.program().report(.bug("no such value"), ["build", "my model.onnx", "-o", "it's"])
    #expect(
      line == "tool: error: no such value; this is a bug in Martlet; reproduce with: "
        + #"tool build 'my model.onnx' -o 'it'\''s'"#)
  }

  @Test func errorsStayOnOneLine() {
    let line = Sample.program().report(.invalid("node \"a\nb\u{1b}[31m\""), [])
    #expect(line == #"tool: error: node "a\u{a}b\u{1b}[31m""#)
  }

  @Test func wordsThatAreNearAreSuggested() {
    let names = ["compile", "run", "bench", "verify", "inspect", "ops", "passes"]
    #expect(closest(to: "compil", among: names) == "compile")
    #expect(closest(to: "cmopile", among: names) == "compile")
    #expect(closest(to: "rnu", among: names) == "run")
    #expect(closest(to: "quantize", among: names) == nil)
    #expect(closest(to: String(repeating: "x", count: 1_000_000), among: names) == nil)
    #expect(closest(to: "", among: names) == nil)
  }
}
