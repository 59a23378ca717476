import IR
import Support
import Testing

@Suite struct ControlTests {
  private func run(_ text: String, _ inputs: [Tensor]) throws -> [Tensor] {
    let module = try ModuleParser.parse(
      "module @m {\nsymbol t in 0...64\nsymbol c in 0...64\n\(text)\n}", file: "m.mir")
    try Verifier.verify(module)
    return try Evaluator(module).run("main", inputs.map { .tensor($0) }).map { try $0.expectTensor() }
  }

  private let doubling = """
    entry @main(%trip: i64[], %go: bool[], %x: f32[]) -> (%last: f32[], %all: f32[t]) {
      %last, %all = loop %trip, %go, %x {extent = t} body(%i: i64[], %again: bool[], %value: f32[]) {
        %twice = add %value, %value : f32[]
        %limit = constant {value = f32[] [20.0]} : f32[]
        %small = less %twice, %limit : bool[]
        yield %small, %twice, %value
      } : f32[], f32[t]
      return %last, %all
    }
    """

  @Test func loopsCarryStackAndStop() throws {
    let go = Tensor.scalar(1, .bool)
    let three = try run(doubling, [.scalar(3), go, .scalar(1.0)])
    #expect(three[0].doubles() == [8] && three[1].doubles() == [1, 2, 4])
    let stopped = try run(doubling, [.scalar(100), go, .scalar(1.0)])
    #expect(stopped[0].doubles() == [32] && stopped[1].shape == [5])
    let none = try run(doubling, [.scalar(3), .scalar(0, .bool), .scalar(1.0)])
    #expect(none[0].doubles() == [1] && none[1].shape == [0])
  }

  @Test func theExtentIsChecked() throws {
    let fixed = doubling.replacing("extent = t", with: "extent = 3").replacing("f32[t]", with: "f32[3]")
    #expect(try run(fixed, [.scalar(3), .scalar(1, .bool), .scalar(1.0)])[1].shape == [3])
    #expect(throws: Diagnostic.self) { try run(fixed, [.scalar(2), .scalar(1, .bool), .scalar(1.0)]) }
    // More iterations than the symbol's range allows.
    let endless = doubling.replacing("20.0", with: "inf")
    #expect(throws: Diagnostic.self) { try run(endless, [.scalar(100), .scalar(1, .bool), .scalar(0.0)]) }
  }

  @Test func symbolsOfABodyAreBoundAnewEachTime() throws {
    let text = """
      entry @main(%trip: i64[], %x: i64[3]) -> (%last: i64[]) {
        %zero = constant {value = i64[] [0]} : i64[]
        %last = loop %trip, _, %zero body(%i: i64[], %again: bool[], %sum: i64[]) {
          %above = greater %x, %i : bool[3]
          %found = non_zero %above {extent = c} : i64[1, c]
          %count = dim {value = c} : i64[]
          %next = add %sum, %count : i64[]
          yield %again, %next
        } : i64[]
        return %last
      }
      """
    #expect(try run(text, [.scalar(3), i64([3], [1, 2, 3])])[0].integers() == [3 + 2 + 1])
  }

  @Test func endlessLoopsRunOutOfFuel() throws {
    let text = """
      module @m { entry @main() -> () {
        loop body(%i: i64[], %again: bool[]) { yield %again }
        return
      } }
      """
    let module = try ModuleParser.parse(text, file: "m.mir")
    let evaluator = Evaluator(module)
    evaluator.fuel = 1000
    #expect(throws: Diagnostic.self) { try evaluator.run("main", []) }
  }

  @Test func carriedTypesMustStay() throws {
    let text = """
      module @m { entry @main(%x: f32[2]) -> (%y: f32[2]) {
        %y = loop _, _, %x body(%i: i64[], %again: bool[], %v: f32[2]) {
          %w = concat %v, %v {axis = 0} : f32[4]
          yield %again, %w
        } : f32[2]
        return %y
      } }
      """
    do {
      _ = try ModuleParser.parse(text, file: "m.mir")
      Issue.record("it parsed")
    } catch {
      #expect("\(error)".contains("loop: the body yields"))
    }
  }

  @Test func ifTakesOneBranch() throws {
    let text = """
      entry @main(%c: bool[], %a: i64[1], %b: i64[1]) -> (%y: i64[1]) {
        %y = if %c then {
          %q = div %a, %b : i64[1]
          yield %q
        } else {
          yield %a
        } : i64[1]
        return %y
      }
      """
    #expect(try run(text, [.scalar(1, .bool), i64([1], [7]), i64([1], [2])])[0].integers() == [3])
    #expect(try run(text, [.scalar(0, .bool), i64([1], [7]), i64([1], [0])])[0].integers() == [7])
  }

  @Test func stateOutlivesARun() throws {
    let text = """
      module @m {
        state @sum : f32[2] = zeros
        entry @main(%x: f32[2]) -> (%y: f32[2]) {
          %old = state_read {state = @sum} : f32[2]
          %y = add %old, %x : f32[2]
          state_update %y {state = @sum}
          return %y
        }
      }
      """
    let evaluator = Evaluator(try ModuleParser.parse(text, file: "m.mir"))
    let x = Value.tensor(f32([2], [1, 2]))
    _ = try evaluator.run("main", [x])
    #expect(try evaluator.run("main", [x])[0].expectTensor().doubles() == [2, 4])
  }

  @Test func sequencesIndexFromBothEnds() throws {
    let text = """
      entry @main(%a: f32[2], %b: f32[2], %i: i64[]) -> (%y: f32[2], %length: i64[]) {
        %s = sequence_make %a, %b : seq<f32[2]>
        %y = sequence_at %s, %i : f32[2]
        %length = sequence_length %s : i64[]
        return %y, %length
      }
      """
    let (a, b) = (f32([2], [1, 2]), f32([2], [3, 4]))
    let last = try run(text, [a, b, .scalar(-1)])
    #expect(last[0] == b && last[1].integers() == [2])
    #expect(throws: Diagnostic.self) { try run(text, [a, b, .scalar(2)]) }
  }
}
