/// What passes may spend. Models are hostile input: nothing may grow without a bound.
public struct PassLimits: Hashable, Sendable {
  /// Bytes of folded weights that a run of passes may add in total, besides what it folds away.
  public var foldedGrowthBytes = 256 << 20
  /// Bytes of one folded result.
  public var foldedResultBytes = 128 << 20
  /// A folded result up to this many bytes stays a constant in the graph; larger ones become weights.
  public var inlineConstantBytes = 256
  /// A folded result beyond this many bytes must not be larger than its operands: codes and narrow types stay folded.
  public var foldedExpansionBytes = 64 << 10
  /// Bytes that weights may grow by in all when contractions get theirs as the numbers they multiply with.
  public var unpackedGrowthBytes = 1 << 30
  /// Multiply-adds that folding one op may cost, and all ops together.
  public var foldedOpWork = 200_000_000
  public var foldedTotalWork = 2_000_000_000
  /// Ops that one fusion may hold.
  public var fusionOps = 32
  /// Operands that one fusion may take: kernels pass them in registers.
  public var fusionInputs = 24
  /// Explanations kept; later ones are counted only.
  public var explanations = 100_000
  /// Rewrites per op of the module before a pass is taken to run in circles.
  public var rewritesPerOp = 64

  public init() {}
}
