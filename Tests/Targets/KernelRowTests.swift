import Testing

@testable import Targets

@Suite struct KernelRowTests {
  @Test func namesAreUnique() {
    #expect(Set(KernelRow.all.map(\.name)).count == KernelRow.all.count)
  }

  @Test(arguments: KernelRow.all)
  func tilesFitTheRegisters(row: KernelRow) {
    for tile in row.tiles {
      #expect(tile.registers + row.machine.scratch <= row.machine.registers, "\(row.name): \(tile)")
      #expect(tile.unroll >= 1)
    }
  }

  @Test(arguments: Profile.names, ContractionTypes.allCases)
  func everyProfileHasTiles(name: String, types: ContractionTypes) throws {
    let profile = try Profile.named(name)
    let tiles = KernelRow.contractionTiles(for: profile, types: types)
    #expect(Set(tiles.map(\.description)).count == tiles.count, "a tile comes from two rows")
    // Whatever the extents: one column of vectors and every tail of rows.
    let tallest = try #require(tiles.map(\.rows).max())
    for width in Set(tiles.map(\.vectors)) {
      let rows = tiles.filter { $0.vectors == width }.map(\.rows)
      #expect(rows == rows.indices.map { rows.count - $0 }, "\(width) vectors: heights have gaps")
    }
    #expect(tiles.contains { $0.vectors == 1 && $0.rows == 1 })
    // With few registers, or few left beside steps of several instructions, tiles are small.
    let isTight = profile.vectorRegisters < 16 || (types == .u8i8 && !profile.hasVectors)
    #expect(tallest >= (isTight ? 4 : 6))
    // At least one hides the latency of the multiply-adds.
    #expect(tiles.contains { $0.accumulators >= profile.fmaUnits * profile.fmaLatency })
  }

  @Test func theMeasuredTilesExist() throws {
    let tiles = KernelRow.contractionTiles(for: try Profile.named("znver5"), types: .f32).map(\.description)
    for name in ["14x2", "12x2", "9x3", "6x4", "7x2", "8x2"] { #expect(tiles.contains(name)) }
    #expect(KernelRow.contractionTiles(for: try Profile.named("x86-64-v3"), types: .f32).contains { $0.rows == 6 })
    #expect(
      KernelRow.contractionTiles(for: try Profile.named("aarch64"), types: .f32).map(\.description).contains("8x3"))
  }
}
