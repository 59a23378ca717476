/// What the user says about a model beyond what its file says.
public struct ImportOptions: Hashable, Sendable {
  /// The shapes of inputs, by name. Symbols in them become these numbers everywhere.
  public var shapes: [String: [Int]]

  public init(shapes: [String: [Int]] = [:]) { self.shapes = shapes }
}
