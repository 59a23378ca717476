/// Finds the rewrite that breaks a result.
///
/// Rewrites are numbered over a whole run of passes, and fuel permits the first
/// so many of them. With fuel 0 the result is right, with enough it is wrong;
/// halving finds two neighbours, one right and one wrong.
public enum Bisect {
  /// One run with limited fuel.
  public struct Trial: Sendable {
    /// Whether the result was right.
    public var isRight: Bool
    /// Rewrites done, and the last of them.
    public var rewrites: Int
    public var lastRewrite: Rewrite?

    public init(isRight: Bool, rewrites: Int, lastRewrite: Rewrite?) {
      self.isRight = isRight
      self.rewrites = rewrites
      self.lastRewrite = lastRewrite
    }

    public init(isRight: Bool, report: PassReport) {
      self.init(isRight: isRight, rewrites: report.rewrites, lastRewrite: report.lastRewrite)
    }
  }

  public enum Outcome: Hashable, Sendable {
    /// All rewrites together are right: the fault is elsewhere, or gone.
    case alwaysRight
    /// Wrong even without any rewrite: the fault is before or after the passes.
    case alwaysWrong
    /// With this rewrite the result is wrong, with all those before it still right.
    case found(Rewrite)
  }

  /// `run` gets the fuel, nil for no limit.
  public static func firstWrong<Failure: Error>(_ run: (Int?) throws(Failure) -> Trial) throws(Failure) -> Outcome {
    let whole = try run(nil)
    guard !whole.isRight else { return .alwaysRight }
    guard try run(0).isRight, var guilty = whole.lastRewrite else { return .alwaysWrong }
    var right = 0
    var wrong = whole.rewrites
    while wrong - right > 1 {
      let middle = right + (wrong - right) / 2
      let trial = try run(middle)
      if trial.isRight {
        right = middle
      } else {
        wrong = middle
        if let last = trial.lastRewrite { guilty = last }
      }
    }
    return .found(guilty)
  }
}
