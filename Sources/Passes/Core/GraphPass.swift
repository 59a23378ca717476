import Support

/// A pass over a module, as a value: declared once, listed in `PassRegistry`, named in the pipeline table.
public struct GraphPass: Sendable {
  /// What a pass may do to results; the tests hold it to that.
  public enum Effect: Hashable, Sendable {
    /// Every result keeps its bits.
    case exact
    /// A result may differ by rounding.
    case rounds(RoundingBound)
  }

  /// Kebab-case, as the command line and the pipeline table spell it.
  public let name: String
  public let effect: Effect
  /// One line for `martlet passes`.
  public let summary: String
  public let run: @Sendable (inout PassContext) throws(Diagnostic) -> Void

  public init(
    _ name: String, _ effect: Effect, _ summary: String,
    run: @escaping @Sendable (inout PassContext) throws(Diagnostic) -> Void
  ) {
    self.name = name
    self.effect = effect
    self.summary = summary
    self.run = run
  }
}

/// How far a result may move: `|a - b| <= absolute + relative * |b|`.
public struct RoundingBound: Hashable, Sendable {
  public var relative: Double
  public var absolute: Double

  public init(relative: Double, absolute: Double) {
    self.relative = relative
    self.absolute = absolute
  }

  public func allows(_ a: Double, _ b: Double) -> Bool {
    if a == b || (a.isNaN && b.isNaN) { return true }
    guard a.isFinite, b.isFinite else { return false }
    return (a - b).magnitude <= absolute + relative * b.magnitude
  }
}
