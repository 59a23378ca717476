import IR
import Testing

@Suite struct DimTests {
  let n = Dim(symbol: "n")

  @Test func sumsAreCanonical() {
    #expect(n * 2 + n == n * 3)
    #expect((n + 1) * (n + 1) == n * n + n * 2 + 1)
    #expect((n - n).constant == 0)
  }

  @Test func divisionSplitsWhatDivides() {
    #expect((n * 4 + 8).floorDivided(by: 4) == n + 2)
    #expect((n * 4 + 7).floorDivided(by: 4) == n + 1)
    #expect((n * 4 + 7).ceilDivided(by: 4) == n + 2)
    #expect((n * 4 + 7).modulo(4) == 3)
    #expect((n * 6).floorDivided(by: n * 3) == 2)
  }

  @Test func textNamesEveryPart() {
    #expect("\((n * 4 + 3).floorDivided(by: Dim(2)))" == "2 * n + 1")
    #expect("\(n.floorDivided(by: 2) + 1)" == "floordiv(n, 2) + 1")
  }

  @Test func evaluationAgreesWithBounds() {
    let dim = (n * 3 + 1).floorDivided(by: 2)
    for value in 1...9 {
      #expect(dim.evaluate(["n": value]) == (3 * value + 1) / 2)
      #expect(dim.bounds(["n": 1...9]).contains((3 * value + 1) / 2))
    }
  }
}
