/// Rows in aligned columns: words to the left, numbers to the right.
public struct Table: Sendable {
  public enum Alignment: Sendable { case left, right }

  private let columns: [(title: String, alignment: Alignment)]
  private var rows: [[String]] = []

  /// Columns by title; those listed in `numbers` are aligned to the right.
  public init(_ titles: [String], numbers: Set<String> = []) {
    columns = titles.map { ($0, numbers.contains($0) ? .right : .left) }
  }

  /// Cells that are missing stay empty, those too many are left out.
  public mutating func add(_ cells: [String]) {
    rows.append(columns.indices.map { $0 < cells.count ? oneLine(cells[$0]) : "" })
  }

  /// The lines, title first, without space at their ends.
  public func text(styled: (String) -> String = { $0 }) -> String {
    let titles = columns.map(\.title)
    let widths = columns.indices.map { column in
      ([titles] + rows).map { $0[column].count }.max() ?? 0
    }
    var result = styled(line(titles, widths)) + "\n"
    for row in rows { result += line(row, widths) + "\n" }
    return result
  }

  /// To standard output.
  public func print() { StandardOutput.write(text { Terminal.styled($0, .bold) }) }

  private func line(_ cells: [String], _ widths: [Int]) -> String {
    var text = ""
    for (column, cell) in cells.enumerated() {
      let space = String(repeating: " ", count: max(0, widths[column] - cell.count))
      if column > 0 { text += "  " }
      text += columns[column].alignment == .right ? space + cell : cell + space
    }
    while text.hasSuffix(" ") { text.removeLast() }
    return text
  }
}
