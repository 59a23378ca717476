import Support
import Testing

@testable import CommandLineKit

@Suite struct ArgumentParserTests {
  @Test func valuesAreTyped() throws {
    let arguments = try Sample.parse(
      "--threads", "4", "m.onnx", "--target=aarch64", "-o", "out", "--rtol", "1e-5", "--shape", "square", "--json",
      "--input", "a=1", "--input=b=2", "--passes", "x,y", "more")
    #expect(arguments.command == "build")
    #expect(arguments.positionals == ["m.onnx", "more"])
    #expect(arguments[Sample.output] == "out")
    #expect(arguments[Sample.target] == "aarch64")
    #expect(arguments[Sample.threads] == 4)
    #expect(arguments[Sample.tolerance] == 1e-5)
    #expect(arguments[Sample.shape] == .square)
    #expect(arguments[Sample.corner] == nil)
    #expect(arguments[Sample.inputs] == ["a=1", "b=2"])
    #expect(arguments[Sample.passes] == ["x", "y"])
    #expect(arguments[Sample.json])
    #expect(arguments[Sample.entry] == nil)
    #expect(arguments.has(Sample.json) && !arguments.has(Sample.entry))
  }

  @Test func defaultsHold() throws {
    let arguments = try Sample.parse("m", "-oout")
    #expect(arguments[Sample.output] == "out")
    #expect(arguments[Sample.target] == "host")
    #expect(arguments[Sample.tolerance] == 0.001)
    #expect(arguments[Sample.shape] == .round)
    #expect(arguments[Sample.threads] == nil)
    #expect(!arguments[Sample.json])
    #expect(arguments[Sample.inputs].isEmpty)
  }

  @Test func dashesEndOptions() throws {
    let arguments = try Sample.parse("-o", "out", "--", "--json", "-x")
    #expect(arguments.positionals == ["--json", "-x"])
    #expect(try Sample.parse("-", "-o", "-").positionals == ["-"])
  }

  @Test(arguments: [
    (["m"], "-o OUT is missing (see `tool build --help`)"),
    (["-o", "x"], "MODEL is missing (see `tool build --help`)"),
    (["m", "n", "p", "-o", "x"], "unexpected argument \"p\" (see `tool build --help`)"),
    (["m", "--traget", "x"], "unknown option --traget (did you mean --target?)"),
    (["m", "--nonsense"], "unknown option --nonsense (see `tool build --help`)"),
    (["m", "-z"], "unknown option -z (see `tool build --help`)"),
    (["m", "--target"], "--target wants a value: NAME (see `tool build --help`)"),
    (["m", "--target", "--json"], "--target wants a value: NAME (see `tool build --help`)"),
    (["m", "--target="], "--target wants a value: NAME (see `tool build --help`)"),
    (["m", "--json=yes"], "--json takes no value"),
    (["m", "--target", "a", "--target", "b"], "--target is given twice"),
    (["m", "--threads", "many"], "--threads wants a whole number, not \"many\""),
    (["m", "--threads", "99999999999999999999"], "--threads wants a whole number, not \"99999999999999999999\""),
    (["m", "--threads", "0"], "--threads 0 is out of range (1 to 64)"),
    (["m", "--rtol", "-1"], "--rtol wants a number of 0 or more, not \"-1\""),
    (["m", "--rtol", "nan"], "--rtol wants a number of 0 or more, not \"nan\""),
    (["m", "--shape", "squrae"], "--shape cannot be \"squrae\" (did you mean square?)"),
    (["m", "--corner", "blue"], "--corner cannot be \"blue\" (there is round, square)"),
  ])
  func mistakesAreUsageErrors(arguments: [String], message: String) {
    do throws(Diagnostic) {
      _ = try ArgumentParser.parse(arguments, of: Sample.spec, program: "tool")
      Issue.record("accepted: \(arguments)")
    } catch {
      #expect(error.kind == .usage)
      #expect(error.description == message)
    }
  }

  @Test func helpWinsOverWhatIsMissing() throws {
    for word in ["--help", "-h"] {
      guard case .help = try ArgumentParser.parse([word], of: Sample.spec, program: "tool") else {
        Issue.record("\(word) gave no help")
        continue
      }
    }
  }
}
