import IR
import Support

extension Constant: OpLowering {
  /// A constant lies among the weights, in the form that its first reader asks for.
  func lower(_ op: OpID, _ program: ProgramBuilder) throws(Diagnostic) {}
}
