import IR
import Support
import Testing

/// What ops know of small integer tensors before anything runs.
@Suite struct FactTests {
  private var builder: GraphBuilder
  private let x: ValueID
  private let n = Dim(symbol: "n")

  init() {
    var module = Module(name: "m")
    module.declare(symbol: "n", in: 1...64)
    module.declare(symbol: "s", in: 0...4096)
    builder = GraphBuilder(module: module, function: Function(name: "main"))
    x = builder.argument("x", ValueFact(.f32, [n, 6, 8]))
  }

  private func elements(_ id: ValueID) -> [Dim]? { builder.function[id].fact.elements }

  @Test mutating func shapesAreKnown() throws {
    let shape = try builder.add(Shape(), x)
    #expect(elements(shape) == [n, 6, 8])
    let tail = try builder.add(Slice(starts: [2], sizes: [2], steps: [-1]), shape)
    #expect(elements(tail) == [8, 6])
    let picked = try builder.add(Gather(axis: 0), shape, try builder.constant(i64([2], [-3, 1])))
    #expect(elements(picked) == [n, 6])
    let product = try builder.add(Reduce(.prod, keepDims: true), picked)
    #expect(elements(product) == [n * 6])
    let joined = try builder.add(Concat(axis: 0), [product, tail])[0]
    #expect(elements(joined) == [n * 6, 8, 6])
    let scalar = try builder.add(Reshape(shape: []), product)
    #expect(elements(scalar) == [n * 6])
    let narrow = try builder.add(Cast(to: .i32), joined)
    #expect(elements(narrow) == [n * 6, 8, 6])
    let bytes = try builder.add(Cast(to: .i8), joined)
    #expect(elements(bytes) == nil)
  }

  @Test mutating func arithmeticIsKnownWhereItIsExact() throws {
    let shape = try builder.add(Shape(), x)
    let two = try builder.constant(.scalar(2))
    let sum = try builder.add(Binary(.add), shape, two)
    #expect(elements(sum) == [n + 2, 8, 10])
    let half = try builder.add(Binary(.div), shape, two)
    #expect(elements(half) == [n.floorDivided(by: 2), 3, 4])
    let atLeastTwo = try builder.add(Binary(.maximum), shape, two)
    #expect(elements(atLeastTwo) == [Dim.maximum(n, 2), 6, 8])
    let less = try builder.add(Binary(.sub), shape, try builder.constant(.scalar(3)))
    let mayBeNegative = try builder.add(Binary(.div), less, two)
    #expect(elements(mayBeNegative) == nil)
    let large = try builder.constant(.scalar(Int.max - 3))
    let overflowing = try builder.add(Binary(.add), shape, large)
    #expect(elements(overflowing) == nil)
    let zero = try builder.constant(.scalar(0))
    let undefined = try builder.add(Binary(.div), shape, zero)
    #expect(elements(undefined) == nil)
  }

  @Test mutating func conditionsThatFollowFromShapesAreKnown() throws {
    let shape = try builder.add(Shape(), x)
    let seven = try builder.constant(.scalar(7))
    let six = try builder.add(Slice(starts: [1], sizes: [2], steps: [1]), shape)
    let less = try builder.add(Compare(.less), six, seven)
    #expect(elements(less) == [1, 0])
    let inverse = try builder.add(Unary(.not), less)
    #expect(elements(inverse) == [0, 1])
    let chosen = try builder.add(Select(), less, six, seven)
    #expect(elements(chosen) == [6, 7])
    let undecided = try builder.add(Compare(.less), shape, seven)
    #expect(elements(undecided) == nil)
    let never = try builder.add(Compare(.greater), shape, try builder.constant(.scalar(64)))
    #expect(elements(never) == [0, 0, 0])
  }

  @Test mutating func freshSymbolsAreKnown() throws {
    let t = builder.argument("t", ValueFact(.i64, []))
    let extent = try builder.add(Extent(symbol: "s"), t)
    #expect(elements(extent) == [Dim(symbol: "s")])
    let expression = try builder.add(DimValue(n * 2 + 1))
    #expect(elements(expression) == [n * 2 + 1])
    let wide = try builder.add(Broadcast(shape: [3]), extent)
    #expect(elements(wide)?.count == 3)
    let tooMany = try builder.add(Broadcast(shape: [Dim(ValueFact.limit + 1)]), extent)
    #expect(elements(tooMany) == nil)
  }
}
