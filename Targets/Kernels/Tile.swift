/// The part of a result that one pass over the summed axis computes in registers.
public struct Tile: Sendable, Hashable, CustomStringConvertible {
  /// Rows of the left operand, each broadcast element by element.
  public var rows: Int
  /// Vectors of the right operand, each loaded once for all rows.
  public var vectors: Int
  /// Steps along the summed axis in one turn of the loop.
  public var unroll: Int

  public init(rows: Int, vectors: Int, unroll: Int) {
    self.rows = rows
    self.vectors = vectors
    self.unroll = unroll
  }

  public var accumulators: Int { rows * vectors }
  /// Registers that a step keeps alive: accumulators, the vectors of the right operand, one broadcast.
  public var registers: Int { accumulators + vectors + 1 }
  public var description: String { "\(rows)x\(vectors)" }
}
