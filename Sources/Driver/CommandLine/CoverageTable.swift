import Codegen
import CommandLineKit
import Emit
import Frontends
import IR
import Support

/// What `martlet ops --coverage` prints: which ops have code, and which operators of each format are read.
enum CoverageTable {
  static func print() {
    var ops = Table(["op", "family", "code", "written to ONNX"])
    var (withCode, written, all) = (0, 0, 0)
    for op in OpsCommand.all {
      let hasCode = LoweringCoverage.hasCode(op.kind)
      let isWritten = ONNXEmissionCoverage.isWritten(op.kind)
      ops.add([op.name, op.family, hasCode ? "yes" : "evaluated only", isWritten ? "yes" : "no"])
      withCode += hasCode ? 1 : 0
      written += isWritten ? 1 : 0
      all += 1
    }
    ops.print()
    StandardOutput.write("\n")
    var operators = Table(["ONNX operator", "defined in", "read in"])
    for row in ONNXCoverage.rows {
      operators.add([row.name, row.defined.map(String.init).joined(separator: ", "), read(row)])
    }
    operators.print()
    StandardOutput.write("\n\(withCode) of \(all) ops have code, \(written) are written to ONNX\n")
    for line in domains { StandardOutput.write(line + "\n") }
  }

  private static func read(_ row: ONNXCoverage.Row) -> String {
    if row.read.isEmpty { return "no" }
    return row.missing.isEmpty && !row.defined.isEmpty ? "all" : row.read.map(text).joined(separator: ", ")
  }

  /// A line for each domain: how many operators and definitions of them are read.
  private static var domains: [String] {
    var lines: [String] = []
    var groups: [(name: String, rows: [ONNXCoverage.Row])] = []
    for row in ONNXCoverage.rows {
      let domain = row.name.lastIndex(of: ".").map { String(row.name[..<$0]) } ?? "ai.onnx"
      let name = row.defined.isEmpty ? "com.microsoft" : domain
      if groups.last?.name != name { groups.append((name, [])) }
      groups[groups.count - 1].rows.append(row)
    }
    for (name, rows) in groups {
      let whole = rows.filter { $0.missing.isEmpty }.count
      let all = rows.reduce(0) { $0 + $1.defined.count }
      guard all > 0 else {
        lines.append("\(name): \(rows.count) operators are read")
        continue
      }
      let read = all - rows.reduce(0) { $0 + $1.missing.count }
      lines.append("\(name): \(whole) of \(rows.count) operators are read, \(read) of \(all) versions of them")
    }
    return lines
  }

  static var json: JSON {
    .object([
      JSON.Member(
        "ops",
        .array(
          OpsCommand.all.map { op in
            .object([
              JSON.Member("name", .string(op.name)), JSON.Member("family", .string(op.family)),
              JSON.Member("code", .bool(LoweringCoverage.hasCode(op.kind))),
              JSON.Member("written_to_onnx", .bool(ONNXEmissionCoverage.isWritten(op.kind))),
            ])
          })),
      JSON.Member(
        "onnx",
        .array(
          ONNXCoverage.rows.map { row in
            .object([
              JSON.Member("name", .string(row.name)), JSON.Member("defined", .array(row.defined.map { .int($0) })),
              JSON.Member("versions", ranges(row.read)), JSON.Member("missing", ranges(row.missing)),
            ])
          })),
      JSON.Member(
        "mappings",
        .array(
          ONNXCoverage.mappings.map { mapping in
            .object([
              JSON.Member("name", .string(mapping.name)), JSON.Member("versions", ranges([mapping.sets])),
              JSON.Member("attributes", .array(mapping.attributes.map { .string($0) })),
              JSON.Member("inputs", ranges([mapping.inputs])),
            ])
          })),
    ])
  }

  private static func ranges(_ ranges: [ClosedRange<Int>]) -> JSON {
    .array(ranges.map { .array([.int($0.lowerBound), .int($0.upperBound)]) })
  }

  private static func text(_ range: ClosedRange<Int>) -> String {
    range.count == 1 ? "\(range.lowerBound)" : "\(range.lowerBound) to \(range.upperBound)"
  }
}
