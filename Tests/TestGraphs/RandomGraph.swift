import IR
import Support
import TestSupport

/// A random well-typed module with inputs that it evaluates on without error.
///
/// Equal seeds and options give equal graphs on every machine. The graphs use every op of the registry, static and
/// symbolic dims, control flow and state. Intermediate floats stay finite and below `GraphGenerator.limit`.
public struct RandomGraph: Sendable {
  public struct Options: Sendable {
    /// How many ops a graph has, give or take the constants that they need.
    public var ops = 3...20
    /// Dims over symbols that the inputs bind.
    public var symbols = true
    /// `if`, `loop` and `fusion`.
    public var control = true
    public var state = true
    /// Functions that jump (rounding, comparing, casts to integers): off for comparisons of code that rounds
    /// differently, where a jump makes a large difference of a small one.
    public var jumps = true
    /// Element types that floats may have besides f32.
    public var otherFloats = true
    /// Values that are no tensors, of which passes see all.
    public var sequences = true
    /// Lists that only the run knows, and texts.
    public var lists = true
    /// Weights in a packed order of their own.
    public var packed = true
    /// Extents that take several vectors and tiles; evaluating takes longer.
    public var large = false
    /// Puts NaN among the float inputs.
    public var withNaN = false

    public init() {}
  }

  public let seed: UInt64
  public let options: Options

  public init(seed: UInt64, options: Options = Options()) {
    self.seed = seed
    self.options = options
  }

  /// The module; its one entry is `@main`.
  public func module() throws(Diagnostic) -> Module { try generated().module }

  /// Inputs of `@main`, which bind every symbol that its arguments name.
  public func inputs() -> [Value] { (try? generated().inputs) ?? [] }

  private func generated() throws(Diagnostic) -> (module: Module, inputs: [Value]) {
    var generator = GraphGenerator(seed: seed, options: options)
    return try generator.generate()
  }
}

extension Seeded {
  mutating func within(_ range: ClosedRange<Int>) -> Int { range.lowerBound + below(range.count) }
  mutating func chance(_ percent: Int) -> Bool { below(100) < percent }
  mutating func pick<Element>(_ items: [Element]) -> Element? { items.isEmpty ? nil : items[below(items.count)] }
  /// Uniform, with few enough digits to read.
  mutating func real(_ low: Double, _ high: Double) -> Double {
    low + (high - low) * Double(below(1025)) / 1024
  }
}
