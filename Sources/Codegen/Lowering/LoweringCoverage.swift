import IR

/// Which ops become code, for the table of `martlet ops --coverage`. Generators ask for a machine's properties and
/// never for its name, so what has code has it for every target.
public enum LoweringCoverage {
  public static func hasCode(_ kind: any OpKind.Type) -> Bool { kind is any OpLowering.Type }
}
