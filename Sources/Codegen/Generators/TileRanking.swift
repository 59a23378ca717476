import IR
import Support
import Targets

/// All tiles that a contraction could have with what `TileChoice` thinks of them, for `martlet kernels --explain`.
public struct TileRanking: Sendable {
  public struct Place: Sendable {
    public var tile: Tile
    /// Estimated cycles of one step along the summed axis over the whole result.
    public var cycles: Double
    /// Of the cycles, those in which the multipliers could not have been spared.
    public var share: Double
  }

  /// Best first, as `TileChoice` would take them.
  public let places: [Place]

  public init(types: ContractionTypes, rows: Int, columns: Int, profile: Profile) throws(Diagnostic) {
    let left: ElementType = types == .f32 ? .f32 : .u8
    let multiplication = try Multiplication(left: left, right: types == .f32 ? .f32 : .i8, profile: profile)
    let least = Double(rows) * Double(columns) / Double(multiplication.lanes * profile.fmaUnits)
    let places = KernelRow.contractionTiles(for: profile, types: types).map { tile in
      let cycles = TileChoice.cost(tile, multiplication, Dim(rows), Dim(columns), profile)
      return Place(tile: tile, cycles: cycles, share: least / cycles)
    }
    // Equal ones stay in the order of the table, the first of which is taken.
    self.places = places.enumerated().sorted { ($0.element.cycles, $0.offset) < ($1.element.cycles, $1.offset) }
      .map(\.element)
  }
}
