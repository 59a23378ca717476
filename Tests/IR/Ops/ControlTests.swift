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

  private let running = """
    entry @main(%start: f32[], %x: f32[2, t], %y: f32[t]) -> (%last: f32[], %sums: f32[t], %pairs: f32[2, t]) {
      %last, %sums, %pairs = scan %start, %x, %y {states = 1, axes = [1, 0], reversed = [1], output_axes = [0, 1], \
    output_reversed = [0]} body(%sum: f32[], %pair: f32[2], %value: f32[]) {
        %next = add %sum, %value : f32[]
        %scaled = mul %pair, %next : f32[2]
        yield %next, %next, %scaled
      } : f32[], f32[t], f32[2, t]
      return %last, %sums, %pairs
    }
    """

  @Test func scansWalkAxesInBothDirections() throws {
    let results = try run(
      running, [.scalar(1.0), f32([2, 3], [1, 2, 3, 10, 20, 30]), f32([3], [100, 10, 1])])
    // The sums are 2, 12 and 112, and stand from the end on.
    #expect(results[0].doubles() == [112])
    #expect(results[1] == f32([3], [112, 12, 2]))
    #expect(results[2] == f32([2, 3], [2, 24, 336, 20, 240, 3360]))
    let none = try run(running, [.scalar(1.0), f32([2, 0], []), f32([0], [])])
    #expect(none[0].doubles() == [1] && none[1].shape == [0] && none[2].shape == [2, 0])
  }

  @Test func scansRefuseWhatDoesNotFit() throws {
    for (old, new, message) in [
      ("axes = [1, 0], reversed", "axes = [1], reversed", "1 axes are given for 2 operands"),
      ("axes = [1, 0], reversed", "axes = [2, 0], reversed", "axis 2 is outside of rank 2"),
      ("states = 1", "states = 3", "one must be left to scan"), ("states = 1", "states = -1", "-1 are states"),
      ("reversed = [1]", "reversed = [2]", "2 is to be reversed, of 2"),
      ("output_reversed = [0]", "output_reversed = [-1]", "-1 is to be reversed, of 2"),
      ("output_axes = [0, 1]", "output_axes = [0]", "1 axes are given for 2 stacked results"),
      ("yield %next, %next", "yield %pair, %next", "the body yields"),
      ("%y: f32[t]) ->", "%y: f32[5]) ->", "scanned along different extents"),
    ] {
      // Extents that are known and differ need no run to be refused.
      let text = running.replacing(old, with: new).replacing(
        "f32[2, t], %y: f32[5]", with: "f32[2, 4], %y: f32[5]")
      let error = #expect(throws: Diagnostic.self) { try run(text, []) }
      #expect(error?.message.contains(message) == true, "\(message): \(error?.message ?? "")")
    }
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

  @Test func absentValuesAreAsked() throws {
    let text = """
      entry @main(%x: f32[2]) -> (%a: bool[], %b: bool[], %y: f32[2]) {
        %some = optional_make %x : optional<f32[2]>
        %none = optional_make _ {element = f32[2]} : optional<f32[2]>
        %a = optional_has %some : bool[]
        %b = optional_has %none : bool[]
        %y = optional_get %some : f32[2]
        return %a, %b, %y
      }
      """
    let results = try run(text, [f32([2], [1, 2])])
    #expect(results[0].integers() == [1] && results[1].integers() == [0])
    #expect(results[2] == f32([2], [1, 2]))
    let absent = text.replacing("optional_get %some", with: "optional_get %none")
    #expect(throws: Diagnostic.self) { try run(absent, [f32([2], [1, 2])]) }
    for (old, new, message) in [
      ("optional_make %x", "optional_make %x {element = f32[3]}", "expected f32[3]"),
      ("optional_make _ {element = f32[2]}", "optional_make _", "takes an element type"),
      ("optional_has %none", "optional_has %x", "one that may be absent"),
      ("optional_get %some", "optional_get %x", "one that may be absent"),
    ] {
      let error = #expect(throws: Diagnostic.self) { try run(text.replacing(old, with: new), []) }
      #expect(error?.message.contains(message) == true, "\(message): \(error?.message ?? "")")
    }
  }
}
