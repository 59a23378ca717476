import IR
import Support

extension Constant: OpLowering {
  /// A constant lies among the weights, in the form that its first reader asks for.
  func lower(_ op: OpID, _ program: ProgramBuilder) throws(Diagnostic) {
    guard let value, value.storage != .string else {
      throw .unsupported("constant: strings have no code yet", hint: "`martlet run --reference` evaluates them")
    }
  }
}
