import Support

@testable import CommandLineKit

/// A command with an option of every kind.
enum Sample {
  enum Shape: String, CaseIterable, Sendable { case round, square }

  static let output = OptionKey<String>.required("output", "OUT", "where to write").short("o")
  static let target = OptionKey<String>.text("target", "NAME", default: "host", "the machine")
  static let entry = OptionKey<String?>.text("entry", "NAME", "the entry")
  static let threads = OptionKey<Int?>.integer("threads", "MAX", 1...64, "how many threads")
  static let tolerance = OptionKey<Double?>.decimal("rtol", "R", default: "0.001", "relative tolerance")
  static let shape = OptionKey<Shape>.choice("shape", "SHAPE", default: .round, "what it looks like")
  static let corner = OptionKey<Shape?>.choice("corner", "SHAPE", "what corners look like")
  static let inputs = OptionKey<[String]>.list("input", "NAME=FILE", "an input")
  static let passes = OptionKey<[String]>.commaSeparated("passes", "A,B", "the passes")
  static let json = OptionKey<Bool>.flag("json", "print JSON")

  static let spec = CommandSpec(
    "build", "build a thing",
    positionals: [.init("MODEL", "what to build"), .init("MORE", "what else", .optional)],
    options: [
      output.spec, target.spec, entry.spec, threads.spec, tolerance.spec, shape.spec, corner.spec, inputs.spec,
      passes.spec, json.spec,
    ],
    examples: [.init("build a.onnx -o a.so", "builds it for this machine")])

  static func parse(_ arguments: String...) throws(Diagnostic) -> Arguments {
    switch try ArgumentParser.parse(arguments, of: spec, program: "tool") {
    case .run(let parsed): return parsed
    case .help: throw .usage("help")
    }
  }

  static func program(_ body: @escaping Command.Body = { _ in .success }) -> CommandLineProgram {
    CommandLineProgram(name: "tool", summary: "builds things", version: "1.2", commands: [Command(spec, body)])
  }
}
