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
    var operators = Table(["ONNX operator", "operator sets"])
    let served = ONNXCoverage.operators
    for row in served { operators.add([row.name, row.versions.map(text).joined(separator: ", ")]) }
    operators.print()
    StandardOutput.write(
      "\n\(withCode) of \(all) ops have code, \(written) are written to ONNX; "
        + "\(served.count) operators of ONNX are read\n")
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
          ONNXCoverage.operators.map { row in
            let versions = row.versions.map { JSON.array([.int($0.lowerBound), .int($0.upperBound)]) }
            return .object([JSON.Member("name", .string(row.name)), JSON.Member("versions", .array(versions))])
          })),
    ])
  }

  private static func text(_ range: ClosedRange<Int>) -> String {
    range.count == 1 ? "\(range.lowerBound)" : "\(range.lowerBound) to \(range.upperBound)"
  }
}
