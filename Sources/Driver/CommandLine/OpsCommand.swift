import CommandLineKit
import IR
import Support

/// `martlet ops`: the ops, one a row.
enum OpsCommand {
  static let coverage = OptionKey<Bool>.flag("coverage", "which ops have code, and which operators formats give")

  static let command = Command(.ops) { (arguments: Arguments) throws(Diagnostic) in
    if arguments[coverage] {
      if arguments[RunKeys.json] { StandardOutput.json(CoverageTable.json) } else { CoverageTable.print() }
      return .success
    }
    let ops = all
    if arguments[RunKeys.json] {
      StandardOutput.json(.array(ops.map { json($0.name, $0.family, $0.kind) }))
      return .success
    }
    var table = Table(["op", "family", "operands", "regions", "results"], numbers: ["results"])
    for op in ops {
      let operands = op.kind.operands.map(text).joined(separator: ", ")
      let results = op.kind.resultCount.map { "\($0)" } ?? "any"
      table.add([op.name, op.family, operands, op.kind.regions.joined(separator: ", "), results])
    }
    table.print()
    return .success
  }

  /// Every op by its name.
  static var all: [(name: String, family: String, kind: any OpKind.Type)] {
    OpRegistry.families.flatMap { family in
      family.kinds.flatMap { kind in kind.mnemonics.map { (name: $0, family: family.name, kind: kind) } }
    }
  }

  /// `x: tensor`, with `?` where it may be missing and `...` where there may be many.
  private static func text(_ operand: OperandSpec) -> String {
    switch operand.multiplicity {
    case .one: "\(operand.name): \(operand.elements.rawValue)"
    case .optional: "\(operand.name)?: \(operand.elements.rawValue)"
    case .many: "\(operand.name)...: \(operand.elements.rawValue)"
    }
  }

  private static func json(_ name: String, _ family: String, _ kind: any OpKind.Type) -> JSON {
    let operands: [JSON] = kind.operands.map { operand in
      let number =
        switch operand.multiplicity {
        case .one: "one"
        case .optional: "optional"
        case .many: "many"
        }
      return .object([
        JSON.Member("name", .string(operand.name)), JSON.Member("elements", .string(operand.elements.rawValue)),
        JSON.Member("number", .string(number)),
      ])
    }
    return .object([
      JSON.Member("name", .string(name)), JSON.Member("family", .string(family)),
      JSON.Member("operands", .array(operands)),
      JSON.Member("regions", .array(kind.regions.map { .string($0) })),
      JSON.Member("results", kind.resultCount.map { .int($0) } ?? .null),
    ])
  }
}
