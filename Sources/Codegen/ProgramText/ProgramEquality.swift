import IR
import Support

extension Program: Equatable {
  /// Kernels are equal when they read the same, since a NaN among their constants would not equal itself; weights when
  /// their bytes do.
  public static func == (a: Program, b: Program) -> Bool {
    a.name == b.name && a.weightBytes == b.weightBytes && a.stateBytes == b.stateBytes && a.states == b.states
      && a.entries == b.entries && a.kernels.map(\.description) == b.kernels.map(\.description)
      && a.weights == b.weights
  }
}

extension PlacedWeight: Equatable {
  public static func == (a: PlacedWeight, b: PlacedWeight) -> Bool {
    a.name == b.name && a.offset == b.offset && a.bytes == b.bytes && a.content() == b.content()
  }
}
