import IR

/// Which integers an entry's inputs may hold, as far as the ops that use them say: an input that selects rows of a
/// table must name rows the table has.
public enum IndexRanges {
  /// The ranges by input number; inputs without a limit are left out.
  public static func of(_ function: Function) -> [(input: Int, range: Range<Int>)] {
    var result: [(input: Int, range: Range<Int>)] = []
    for (number, argument) in function[function.body].arguments.enumerated() {
      guard let type = function.tensorType(argument), type.plain?.isInteger ?? false else { continue }
      var seen: Set<ValueID> = []
      if let limit = limit(argument, function, &seen) { result.append((number, 0..<limit)) }
    }
    return result
  }

  /// The least extent that the value, or what is only moved or copied from it, selects from.
  private static func limit(_ value: ValueID, _ function: Function, _ seen: inout Set<ValueID>) -> Int? {
    guard seen.insert(value).inserted else { return nil }
    var least: Int?
    func take(_ candidate: Int?) {
      if let candidate { least = min(least ?? candidate, candidate) }
    }
    for use in function[value].uses {
      guard case .operand(let id, let number) = use else { continue }
      let operation = function[id]
      if let axes = selected(by: operation.kind) {
        guard number == 1, let table = operation.operands[0].flatMap({ function.tensorType($0) }) else { continue }
        // An open extent has one element at least, or there would be nothing to select.
        for axis in axes(table.rank, function.tensorType(value)?.shape.last?.constant ?? 0)
        where table.shape.indices.contains(axis) {
          take(table.shape[axis].constant ?? 1)
        }
      } else if operation.kind is any RecurrentKind {
        // The lengths of sequences: up to all of the steps.
        guard number == 4, let x = operation.operands[0].flatMap({ function.tensorType($0) }) else { continue }
        take((x.shape[0].constant ?? 1) + 1)
      } else if movers.contains(operation.kind.mnemonic), let moved = operation.results.first {
        take(limit(moved, function, &seen))
      }
    }
    return least
  }

  /// The axes of the first operand that the second one selects from, by the rank of the first and the last extent of
  /// the second.
  private static func selected(by kind: any OpKind) -> ((_ rank: Int, _ depth: Int) -> [Int])? {
    func one(_ axis: Int) -> (Int, Int) -> [Int] { { rank, _ in [axis < 0 ? axis + rank : axis] } }
    switch kind {
    case let kind as Gather: return one(kind.axis)
    case let kind as GatherElements: return one(kind.axis)
    case let kind as ScatterElements: return one(kind.axis)
    case let kind as GatherND: return { _, depth in (0..<depth).map { $0 + kind.batchDims } }
    case is ScatterND: return { _, depth in Array(0..<depth) }
    default: return nil
    }
  }

  /// Ops whose results are elements of their operand.
  private static let movers: Set<String> = ["cast", "reshape", "transpose", "slice", "concat", "broadcast"]
}
