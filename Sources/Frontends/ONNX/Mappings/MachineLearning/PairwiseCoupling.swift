import IR
import Support

/// Probabilities of classes from those of each against each other, which agree with none exactly: what differs least in
/// squares, improved class by class until every row is near enough. So do the libraries that train such models, up to
/// when they stop.
struct PairwiseCoupling {
  let context: ONNXNodeContext
  let classes: Int
  let rows: Dim

  private var nearEnough: Double { 0.005 / Double(classes) }

  private func number(_ value: Double) throws(Diagnostic) -> ValueID { try context.scalar(value, .f32) }

  private func sum(_ values: [ValueID]) throws(Diagnostic) -> ValueID {
    var result = values[0]
    for value in values.dropFirst() { result = try context.binary(.add, result, value) }
    return result
  }

  /// `[rows, classes]`; `chances` are columns: that of the first of each pair against the second.
  func probabilities(_ pairs: [(Int, Int)], _ chances: [ValueID]) throws(Diagnostic) -> ValueID {
    let c = context
    var wins = Array(repeating: Array(repeating: chances[0], count: classes), count: classes)
    for (pair, chance) in zip(pairs, chances) {
      wins[pair.0][pair.1] = chance
      wins[pair.1][pair.0] = try c.binary(.sub, try number(1), chance)
    }
    var matrix = wins
    for row in 0..<classes {
      for column in 0..<classes where column != row {
        matrix[row][column] = try c.unary(.neg, try c.binary(.mul, wins[column][row], wins[row][column]))
      }
      var squares: [ValueID] = []
      for other in 0..<classes where other != row {
        squares.append(try c.binary(.mul, wins[other][row], wins[other][row]))
      }
      matrix[row][row] = try sum(squares)
    }
    let even = try c.broadcast(try number(1 / Double(classes)), [rows, Dim(classes)])
    let isOpen = try c.broadcast(try c.scalar(1, .bool), [rows, 1])
    let facts = [ValueFact(.i64, []), ValueFact(.bool, []), c.fact(even), c.fact(isOpen)].map { ValueFact($0.type) }
    let coefficients = matrix
    let block = try c.importer.region(facts) { arguments throws(Diagnostic) in
      try improved(arguments[2], arguments[3], coefficients)
    }
    let start: [ValueID?] = [try c.scalar(max(100, classes)), nil, even, isOpen]
    return try c.importer.builder.add(Loop(extent: 0), start, regions: [block])[0]
  }

  /// Whether any row goes on, the probabilities, and which rows go on.
  private func improved(
    _ given: ValueID, _ wasOpen: ValueID, _ matrix: [[ValueID]]
  ) throws(Diagnostic) -> [ValueID] {
    let c = context
    var p: [ValueID] = []
    for column in 0..<classes { p.append(try c.slice(given, axis: 1, start: Dim(column), size: 1)) }
    var products: [ValueID] = []
    for row in matrix {
      var terms: [ValueID] = []
      for column in 0..<classes { terms.append(try c.binary(.mul, row[column], p[column])) }
      products.append(try sum(terms))
    }
    var terms: [ValueID] = []
    for column in 0..<classes { terms.append(try c.binary(.mul, p[column], products[column])) }
    var whole = try sum(terms)
    var worst = try number(0)
    for product in products {
      worst = try c.binary(.maximum, worst, try c.unary(.abs, try c.binary(.sub, product, whole)))
    }
    let isOpen = try c.binary(.and, wasOpen, try c.compare(.greaterEqual, worst, try number(nearEnough)))
    for row in 0..<classes {
      let change = try c.binary(.div, try c.binary(.sub, whole, products[row]), matrix[row][row])
      p[row] = try c.binary(.add, p[row], change)
      let growth = try c.binary(.add, change, try number(1))
      let inner = try c.binary(
        .add, try c.binary(.mul, change, matrix[row][row]), try c.binary(.mul, products[row], try number(2)))
      whole = try c.binary(
        .div, try c.binary(.add, whole, try c.binary(.mul, change, inner)), try c.binary(.mul, growth, growth))
      for column in 0..<classes {
        let moved = try c.binary(.add, products[column], try c.binary(.mul, change, matrix[row][column]))
        products[column] = try c.binary(.div, moved, growth)
        p[column] = try c.binary(.div, p[column], growth)
      }
    }
    let result = try c.select(isOpen, try c.concat(p, axis: 1), given)
    let goesOn = try c.reduce(.max, isOpen, axes: [0, 1], keepDims: false)
    return [goesOn, result, isOpen]
  }
}
