import IR
import Support

extension ONNXMapping {
  static let unique = ONNXMapping(["Unique"], 11...newest, inputs: 1...1, attributes: ["axis", "sorted"]) {
    c throws(Diagnostic) in
    var x = try c.input(0)
    var axis = 0
    var slices: ValueID
    if let given = try c.int("axis") {
      let rank = try c.rank(x)
      axis = try c.axis(given, rank: rank)
      slices = try c.transpose(x, [axis] + (0..<rank).filter { $0 != axis })
    } else {
      x = try c.reshape(x, [try c.type(x).elementCount])
      slices = x
    }
    // Truths are numbers too.
    if try c.element(slices) == .bool { slices = try c.cast(slices, to: .u8) }
    let most = try c.shape(slices)[0].bounds(c.symbols).upperBound
    guard let symbol = c.freshSymbol("unique", in: 0...max(most, 0)).symbolName else { throw .bug("no symbol") }
    let kind = Unique(extent: symbol, sorted: try c.flag("sorted", default: true))
    let found = try c.results(kind, [slices])
    return [try c.add(Gather(axis: axis), x, found[0])] + found
  }
}
