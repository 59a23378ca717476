import CommandLineKit
import Support
import Targets

/// `martlet kernels`: the rows of the kernel table that exist on a target.
enum KernelsCommand {
  static let command = Command(.kernels) { (arguments: Arguments) throws(Diagnostic) in
    let profile = try Profile.named(arguments[CompileKeys.target])
    let rows = KernelRow.rows(for: profile)
    if arguments[RunKeys.json] {
      StandardOutput.json(
        .object([
          JSON.Member("target", .string(profile.name)), JSON.Member("rows", .array(rows.map { json($0, profile) })),
        ]))
      return .success
    }
    var table = Table(["kernel", "types", "tiles", "columns", "unroll"], numbers: ["columns", "unroll"])
    for row in rows {
      let first = "\(row.rows.lowerBound)x\(row.vectors)"
      let last = "\(row.rows.upperBound)x\(row.vectors)"
      table.add([
        row.name, row.types.rawValue, first == last ? first : "\(first) ... \(last)", "\(columns(row, profile))",
        "\(row.unroll)",
      ])
    }
    table.print()
    return .success
  }

  private static func columns(_ row: KernelRow, _ profile: Profile) -> Int {
    row.vectors * profile.lanes(bits: row.types.accumulatorBits)
  }

  private static func json(_ row: KernelRow, _ profile: Profile) -> JSON {
    .object([
      JSON.Member("name", .string(row.name)), JSON.Member("types", .string(row.types.rawValue)),
      JSON.Member("least_rows", .int(row.rows.lowerBound)), JSON.Member("most_rows", .int(row.rows.upperBound)),
      JSON.Member("vectors", .int(row.vectors)), JSON.Member("columns", .int(columns(row, profile))),
      JSON.Member("unroll", .int(row.unroll)),
    ])
  }
}
