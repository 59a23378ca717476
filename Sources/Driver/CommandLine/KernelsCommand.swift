import Codegen
import CommandLineKit
import Support
import Targets

/// `martlet kernels`: the rows of the kernel table that exist on a target.
enum KernelsCommand {
  static let explain = OptionKey<String?>.text(
    "explain", "ROWSxDEPTHxCOLUMNS", "rank the tiles for a matrix product of this size")
  static let types = OptionKey<ContractionTypes>.choice(
    "types", "TYPES", default: .f32, "what --explain's product multiplies")

  static let command = Command(.kernels) { (arguments: Arguments) throws(Diagnostic) in
    let profile = try Profile.named(arguments[CompileKeys.target])
    if let size = arguments[explain] {
      try rank(size, arguments[types], profile, json: arguments[RunKeys.json])
      return .success
    }
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

  /// Prints the tiles for a product, best first: that one is taken.
  private static func rank(
    _ size: String, _ types: ContractionTypes, _ profile: Profile, json: Bool
  ) throws(Diagnostic) {
    let extents = size.split(separator: "x", omittingEmptySubsequences: false).map { Int($0) ?? 0 }
    guard extents.count == 3, extents.allSatisfy({ 1...(1 << 30) ~= $0 }) else {
      throw .usage("--explain \(size): three extents expected", hint: "--explain 768x768x768")
    }
    let ranking = try TileRanking(types: types, rows: extents[0], columns: extents[2], profile: profile)
    if json {
      let places = ranking.places.map { place in
        JSON.object([
          JSON.Member("tile", .string("\(place.tile)")), JSON.Member("unroll", .int(place.tile.unroll)),
          JSON.Member("cycles", .number(place.cycles)), JSON.Member("share_of_peak", .number(place.share)),
        ])
      }
      StandardOutput.json(
        .object([JSON.Member("target", .string(profile.name)), JSON.Member("tiles", .array(places))]))
      return
    }
    var table = Table(
      ["tile", "registers", "unroll", "cycles a step", "of peak"],
      numbers: [
        "registers", "unroll", "cycles a step", "of peak",
      ])
    for place in ranking.places {
      table.add([
        "\(place.tile)", "\(place.tile.registers)", "\(place.tile.unroll)", "\(Int(place.cycles.rounded()))",
        "\(Int((place.share * 100).rounded())) %",
      ])
    }
    table.print()
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
