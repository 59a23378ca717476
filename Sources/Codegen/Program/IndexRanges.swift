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
      if let gather = operation.kind as? Gather {
        guard number == 1, let table = operation.operands[0].flatMap({ function.tensorType($0) }) else { continue }
        let axis = gather.axis < 0 ? gather.axis + table.rank : gather.axis
        // An open extent has one element at least, or there would be nothing to select.
        if table.shape.indices.contains(axis) { take(table.shape[axis].constant ?? 1) }
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

  /// Ops whose results are elements of their operand.
  private static let movers: Set<String> = ["cast", "reshape", "transpose", "slice", "concat", "broadcast"]
}
