import CommandLineKit
import Passes
import Support

/// `martlet passes`: the pipeline, one step a row, and the passes that stand in none.
enum PassesCommand {
  static let command = Command(.passes) { (arguments: Arguments) throws(Diagnostic) in
    if arguments[RunKeys.json] {
      StandardOutput.json(
        .object([
          JSON.Member("pipeline", .array(Pipeline.steps.map(json))),
          JSON.Member("orders", .array(Pipeline.orders.map(json))),
          JSON.Member("others", .array(others.map { .string($0.name) })),
        ]))
      return .success
    }
    var table = Table(["phase", "pass", "effect", "what it does", "why here"])
    for step in Pipeline.steps {
      table.add([step.phase.rawValue, step.pass.name, text(step.pass.effect), step.pass.summary, step.reason ?? ""])
    }
    for pass in others { table.add(["", pass.name, text(pass.effect), pass.summary, ""]) }
    table.print()
    return .success
  }

  /// Passes that only `opt` runs.
  private static var others: [GraphPass] {
    let used = Set(Pipeline.steps.map(\.pass.name))
    return PassRegistry.all.filter { !used.contains($0.name) }
  }

  private static func text(_ effect: GraphPass.Effect) -> String {
    switch effect {
    case .exact: "exact"
    case .rounds(let bound): "rounds by \(bound.relative) and \(bound.absolute)"
    }
  }

  private static func json(_ step: Pipeline.Step) -> JSON {
    .object([
      JSON.Member("phase", .string(step.phase.rawValue)), JSON.Member("pass", .string(step.pass.name)),
      JSON.Member("effect", .string(text(step.pass.effect))), JSON.Member("summary", .string(step.pass.summary)),
      JSON.Member("reason", step.reason.map { .string($0) } ?? .null),
    ])
  }

  private static func json(_ order: Pipeline.Order) -> JSON {
    .object([
      JSON.Member("earlier", .string(order.earlier)), JSON.Member("later", .string(order.later)),
      JSON.Member("because", .string(order.because)),
    ])
  }
}
