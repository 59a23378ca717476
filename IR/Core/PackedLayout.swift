/// How the elements of a matrix lie in memory when not row by row.
///
/// `panels(columns, group)`: the matrix `[rows, columns]` is cut into panels of
/// `columns` columns; a panel holds its rows in order, `group` rows interleaved
/// (element `(k, n)` of a panel at `(k / group * columns + n) * group + k % group`).
/// The last panel and the last group are padded with zeros.
public struct PackedLayout: Hashable, Sendable, CustomStringConvertible {
  public var columns: Int
  public var group: Int

  public init(columns: Int, group: Int = 1) {
    self.columns = columns
    self.group = group
  }

  /// `@panels32`, `@panels32x4`.
  public var description: String { group == 1 ? "@panels\(columns)" : "@panels\(columns)x\(group)" }

  /// Elements in memory of a packed `rows` x `columns` matrix.
  public func storedElements(rows: Int, columns matrixColumns: Int) -> Int {
    let panels = (matrixColumns + columns - 1) / columns
    let groups = (rows + group - 1) / group
    return panels * columns * groups * group
  }

  /// Where element (row, column) lies.
  public func position(row: Int, column: Int, rows: Int) -> Int {
    let groups = (rows + group - 1) / group
    let panel = column / columns
    return ((panel * groups + row / group) * columns + column % columns) * group + row % group
  }
}
