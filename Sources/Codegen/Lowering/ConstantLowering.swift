import IR
import Support

extension Constant: OpLowering {
  /// A constant lies among the weights.
  func lower(_ op: OpID, _ program: ProgramBuilder) throws(Diagnostic) {
    guard let value, value.storage != .string else {
      throw .unsupported("constant: strings have no code yet", hint: "`martlet run --reference` evaluates them")
    }
    let result = program.function[op].results[0]
    program.bind(result, to: program.weightBuffer(program.parameterKey(value), value))
  }
}
