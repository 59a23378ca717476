import IR
import Support
import Testing

@Suite struct SymbolEquationsTests {
  private let n = Dim.symbol("n")
  private let m = Dim.symbol("m")
  private let k = Dim.symbol("k")

  private func solve(_ shapes: [[Dim]?], _ extents: [[Int]?]) throws(Diagnostic) -> [String: Int] {
    try SymbolEquations(shapes).solve(extents) { "input \($0)" }
  }

  @Test func linearExtentsAreSolved() throws {
    #expect(try solve([[n * 2 + 1]], [[7]]) == ["n": 3])
    #expect(try solve([[n * m], [n]], [[12], [4]]) == ["n": 4, "m": 3])
    // One step tells what the next needs, whatever the order of the inputs.
    #expect(try solve([[m * k + n], [n + m], [n - 1]], [[14], [5], [1]]) == ["n": 2, "m": 3, "k": 4])
    #expect(try solve([[Dim(10) - n]], [[4]]) == ["n": 6])
    // An extent that is the symbol wins over one whose factor may be zero.
    #expect(try solve([[n * m], [n], [m]], [[0], [0], [5]]) == ["n": 0, "m": 5])
    #expect(try solve([[n * m], [n], [m * 2]], [[0], [0], [10]]) == ["n": 0, "m": 5])
  }

  @Test func whatHasNoSolutionIsTold() {
    for (shapes, extents) in [
      ([[n * 2 + 1]], [[6]]), ([[n * 2 + 3]], [[1]]), ([[n * m], [n]], [[0], [0]]), ([[n * m], [n]], [[1], [2]]),
      ([[n * (1 << 62) + 5]], [[1 << 62]]),
    ] as [([[Dim]], [[Int]])] {
      #expect(throws: Diagnostic.self) { try solve(shapes, extents) }
    }
  }

  @Test func whatDoesNotFollowIsListed() {
    #expect(SymbolEquations([[n * m]]).undetermined == ["m", "n"])
    #expect(SymbolEquations([[n * n]]).undetermined == ["n"])
    #expect(SymbolEquations([[n.floorDivided(by: 2)]]).undetermined == ["n"])
    #expect(SymbolEquations([[n.floorDivided(by: 2)], nil, [n]]).undetermined.isEmpty)
    #expect(SymbolEquations([[n + m], [n - m]]).undetermined == ["m", "n"])
  }
}
