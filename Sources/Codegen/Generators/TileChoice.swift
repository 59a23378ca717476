import IR
import Support
import Targets

/// Picks the tile of least estimated cost from the table's rows.
///
/// The estimate counts cycles of one step along the summed axis over the whole
/// result: multiply-adds, loads, and the latency a small tile cannot hide. Full
/// tiles mostly tie; what decides are the edges.
enum TileChoice {
  static func best(
    _ multiplication: Multiplication, rows: Dim, columns: Dim, profile: Profile
  ) throws(Diagnostic) -> Tile {
    let tiles = KernelRow.contractionTiles(for: profile, types: multiplication.types)
    var best: (cost: Double, tile: Tile)?
    for tile in tiles {
      let cost = self.cost(tile, multiplication, rows, columns, profile)
      if best.map({ cost < $0.cost }) ?? true { best = (cost, tile) }
    }
    guard let best else {
      throw .unsupported("there is no kernel row for \(multiplication.types) contractions on \(profile.name)")
    }
    return best.tile
  }

  /// For pixels of an image: tiles are runs within a row, or several whole rows of a narrow image.
  static func best(
    _ multiplication: Multiplication, height: Int, width: Int, columns: Int, profile: Profile
  ) throws(Diagnostic) -> Tile {
    let tiles = KernelRow.contractionTiles(for: profile, types: multiplication.types)
    var best: (cost: Double, tile: Tile)?
    for tile in tiles {
      let rowsPerTile = width >= tile.rows ? 1 : max(1, min(height, tile.rows / width))
      let rows = rowsPerTile > 1 ? rowsPerTile * width : width
      let limited = Tile(
        rows: rowsPerTile > 1 ? rows : min(tile.rows, width), vectors: tile.vectors, unroll: tile.unroll)
      var cost = self.cost(limited, multiplication, Dim(rows), Dim(columns), profile)
      cost *= Double(rowsPerTile > 1 ? (height + rowsPerTile - 1) / rowsPerTile : height)
      if best.map({ cost < $0.cost }) ?? true { best = (cost, tile) }
    }
    guard let best else {
      throw .unsupported("there is no kernel row for \(multiplication.types) convolutions on \(profile.name)")
    }
    return best.tile
  }

  static func cost(
    _ tile: Tile, _ multiplication: Multiplication, _ rows: Dim, _ columns: Dim, _ profile: Profile
  ) -> Double {
    let heights: [(Int, Int)]
    if let constant = rows.constant {
      let count = max(1, (constant + tile.rows - 1) / tile.rows)
      heights = [(constant / count + 1, constant % count), (constant / count, count - constant % count)]
    } else {
      heights = [(tile.rows, 1)]
    }
    let width = tile.vectors * multiplication.lanes
    let widths: [(Int, Int)]
    if let constant = columns.constant {
      widths = [
        (tile.vectors, constant / width), ((constant % width + multiplication.lanes - 1) / multiplication.lanes, 1),
      ]
    } else {
      widths = [(tile.vectors, 1)]
    }
    var cost = 0.0
    for (height, rowTiles) in heights where height > 0 && rowTiles > 0 {
      for (vectors, panels) in widths where vectors > 0 && panels > 0 {
        cost += Double(rowTiles * panels) * step(height, vectors, profile)
      }
    }
    // Per element of the result where extents are unknown, so that tiles compare.
    if rows.constant == nil { cost /= Double(tile.rows) }
    if columns.constant == nil { cost /= Double(tile.vectors) }
    return cost
  }

  /// Cycles of one step of one tile.
  static func step(_ height: Int, _ vectors: Int, _ profile: Profile) -> Double {
    let products = Double(height * vectors)
    let multiply = products / Double(profile.fmaUnits)
    let loads = Double(height + vectors) / Double(profile.loadUnits)
    // A broadcast feeds a multiply-add straight from memory; a panel's vectors come from farther away.
    let traffic = Double(vectors) * 0.15
    let latency = Double(profile.fmaLatency)
    return max(multiply, loads, latency) + traffic + 0.1
  }
}
