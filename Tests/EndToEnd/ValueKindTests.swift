import CMartlet
@testable import Driver
import IR
import Support
import TestSupport
import Testing

/// Texts, sequences and optional values through the interface of artifacts, compared with `evaluate`.
@Suite struct ValueKindTests {
  /// An entry's body with its inputs and results, and what to run it on.
  struct Case: Sendable, CustomTestStringConvertible {
    var name: String
    var inputs: String
    var results: String
    var body: String
    var runs: [[Value]]
    var testDescription: String { name }

    func module() throws -> Module {
      let text = """
        module @kinds {
          symbol n in 0...64
          symbol any in 0...4096
          symbol s in 0...4096
          symbol t in 0...4096
          entry @main(\(inputs)) -> (\(results)) {
        \(body)
          }
        }
        """
      let module = try ModuleParser.parse(text, file: "\(name).mir")
      try Verifier.verify(module)
      return module
    }
  }

  private static func texts(_ strings: [String], _ shape: [Int]? = nil) -> Value {
    .tensor(Tensor(strings: strings.map { Array($0.utf8) }, shape: shape ?? [strings.count]))
  }
  private static func floats(_ values: [Double], _ shape: [Int]? = nil) -> Value {
    .tensor(Tensor(.f32, shape ?? [values.count], doubles: values))
  }
  private static func number(_ value: Int) -> Value { .tensor(.scalar(value)) }
  /// Bytes that are no UTF-8, nothing, and what needs two bytes.
  private static let odd: Value = .tensor(Tensor(strings: [[0xff, 0x00, 0xc3], [], Array("é".utf8)], shape: [3]))
  private static let none: Value = .tensor(Tensor(strings: [], shape: [0]))
  private static let list: Value = .sequence([floats([1, 2]), floats([]), floats([3, 4, 5])])

  static let cases: [Case] = [
    Case(
      name: "texts that move", inputs: "%x: str[n], %i: i64[2]", results: "%a: str[2, 2], %b: bool[n], %c: str[n]",
      body: """
        %k = constant {value = str[1] ["é"]} : str[1]
        %g = gather %x, %i {axis = 0} : str[2]
        %r = reshape %g {shape = [1, 2]} : str[1, 2]
        %d = concat %r, %r {axis = 0} : str[2, 2]
        %p = transpose %d {permutation = [1, 0]} : str[2, 2]
        %e = equal %x, %k : bool[n]
        %w = select %e, %k, %x : str[n]
        return %p, %e, %w
        """, runs: [[odd, .tensor(Tensor(.i64, [2], integers: [2, 0]))]]),
    Case(
      name: "texts that are made", inputs: "%x: str[n]", results: "%a: str[n], %b: str[n, s], %c: i64[n], %d: i64[n]",
      body: """
        %k = constant {value = str[] [", Ä"]} : str[]
        %j = string_concat %x, %k : str[n]
        %l = string_case %j {to = lower} : str[n]
        %p, %q = string_split %l {delimiter = ",", extent = s} : str[n, s], i64[n]
        %f = string_find %x {keys = str[3] ["b", "", "b"]} : i64[n]
        return %l, %p, %q, %f
        """, runs: [[odd], [none], [texts(["a,b", "b"])]]),
    Case(
      name: "patterns", inputs: "%x: str[n]", results: "%a: bool[n]",
      body: """
        %m = string_match %x {pattern = "(\\\\W|^)[\\\\w.\\\\-]{0,25}@(yahoo|gmail)\\\\.com(\\\\W|$)"} : bool[n]
        return %m
        """, runs: [[odd], [none], [texts(["a@gmail.com", "é@yahoo.com", "aé@yahoo.com ", "@gmail.con", "x"])]]),
    Case(
      name: "optional texts", inputs: "%x: optional<str[any]>", results: "%a: bool[], %b: optional<str[any]>",
      body: """
        %h = optional_has %x : bool[]
        return %h, %x
        """, runs: [[.optional(nil)], [.optional(odd)]]),
    Case(
      name: "branches", inputs: "%x: optional<f32[any]>, %y: f32[2]", results: "%a: f32[t], %b: optional<f32[any]>",
      body: """
        %h = optional_has %x : bool[]
        %r, %o = if %h then {
          %v = optional_get %x {shape = [s]} : f32[s]
          %m = sequence_make %v, %y {element = f32[any]} : seq<f32[any]>
          %w = optional_make %v {element = f32[any]} : optional<f32[any]>
          yield %m, %w
        } else {
          %m = sequence_make %y {element = f32[any]} : seq<f32[any]>
          %w = optional_make _ {element = f32[any]} : optional<f32[any]>
          yield %m, %w
        } : seq<f32[any]>, optional<f32[any]>
        %j = sequence_join %r {axis = 0, shape = [t]} : f32[t]
        return %j, %o
        """, runs: [[.optional(nil), floats([7, 8])], [.optional(floats([1, 2, 3])), floats([7, 8])]]),
    Case(
      name: "lists that change", inputs: "%x: seq<f32[any]>, %y: f32[2], %i: i64[]",
      results: "%a: seq<f32[any]>, %b: i64[], %c: seq<f32[any]>, %d: f32[s]",
      body: """
        %p = sequence_insert %x, %y, %i : seq<f32[any]>
        %q = sequence_insert %p, %y : seq<f32[any]>
        %l = sequence_length %q : i64[]
        %e = sequence_erase %q, %i : seq<f32[any]>
        %t = sequence_at %e, %i {shape = [s]} : f32[s]
        return %q, %l, %e, %t
        """,
      runs: [
        [list, floats([7, 8]), number(1)], [list, floats([7, 8]), number(-1)],
        [.sequence([]), floats([7, 8]), number(0)],
      ]),
    Case(
      name: "lists that loops carry", inputs: "%x: seq<f32[*]>, %n: i64[], %y: str[2]",
      results: "%a: seq<f32[*]>, %b: seq<str[any]>",
      body: """
        %z = constant {value = f32[] [0.5]} : f32[]
        %e = sequence_make {element = str[any]} : seq<str[any]>
        %p, %q = loop %n, _, %x, %e body(%k: i64[], %c: bool[], %l: seq<f32[*]>, %m: seq<str[any]>) {
          %u = sequence_insert %l, %z, %k : seq<f32[*]>
          %w = string_concat %y, %y : str[2]
          %v = sequence_insert %m, %w : seq<str[any]>
          yield %c, %u, %v
        } : seq<f32[*]>, seq<str[any]>
        return %p, %q
        """, runs: [[list, number(3), texts(["a", ""])], [.sequence([]), number(0), texts(["a", "b"])]]),
    Case(
      name: "parts", inputs: "%x: f32[n, 3], %s: i64[2], %k: i64[]",
      results: "%a: seq<f32[any, 3]>, %b: seq<f32[any, any]>, %c: seq<f32[n]>, %d: f32[s, n, 3]",
      body: """
        %p = sequence_split %x, %s {axis = 0, member = f32[any, 3]} : seq<f32[any, 3]>
        %q = sequence_split %x, %k {axis = 1, member = f32[any, any]} : seq<f32[any, any]>
        %r = sequence_split %x {axis = 1, keep = false, member = f32[n]} : seq<f32[n]>
        %m = sequence_make %x, %x : seq<f32[n, 3]>
        %j = sequence_join %m {axis = 0, stack = true, shape = [s, n, 3]} : f32[s, n, 3]
        return %p, %q, %r, %j
        """,
      runs: [
        [
          floats([1, 2, 3, 4, 5, 6], [2, 3]), .tensor(Tensor(.i64, [2], integers: [0, 2])), number(2),
        ]
      ]),
    Case(
      name: "a list that may be absent", inputs: "%x: optional<seq<i64[any]>>",
      results: "%a: optional<seq<i64[any]>>, %b: i64[]",
      body: """
        %h = optional_has %x : bool[]
        %l = if %h then {
          %s = optional_get %x : seq<i64[any]>
          %c = sequence_length %s : i64[]
          yield %c
        } else {
          %c = constant {value = i64[] [-1]} : i64[]
          yield %c
        } : i64[]
        return %x, %l
        """,
      runs: [
        [.optional(nil)], [.optional(.sequence([]))],
        [.optional(.sequence([.tensor(Tensor(.i64, [2], integers: [4, 5]))]))],
      ]),
  ]

  @Test(arguments: cases) func compiledAgreesWithEvaluate(_ item: Case) throws {
    let module = try item.module()
    let run = try KindRun(module)
    for inputs in item.runs {
      let expected = try Evaluator(module).run("main", inputs)
      #expect(try run(inputs) == expected, "\(inputs)")
    }
  }

  /// The program that was scheduled reads back as the same one, and means the same.
  @Test(arguments: cases) func programsReadBackAndInterpret(_ item: Case) throws {
    try KindRun.interpret(try item.module(), item.runs)
  }

  // MARK: What fails

  private func failure(_ body: String, _ inputs: String, _ results: String, _ values: [Value]) throws -> String {
    let item = Case(name: "failure", inputs: inputs, results: results, body: body, runs: [values])
    let run = try KindRun(try item.module())
    do { _ = try run(values) } catch let error as ModelFailure { return "\(error)" }
    return "it runs"
  }

  @Test func placesOutOfRangeAreNamed() throws {
    let at = try failure(
      "%r = sequence_at %x, %i : f32[2] loc \"onnx:/take/At\"\nreturn %r", "%x: seq<f32[2]>, %i: i64[]", "%r: f32[2]",
      [.sequence([Self.floats([1, 2])]), Self.number(1)])
    #expect(at.contains("status \(MARTLET_INDEX_OUT_OF_RANGE)") && at.contains("onnx:/take/At"), "\(at)")
    let get = try failure(
      "%r = optional_get %x : f32[2] loc \"onnx:/get\"\nreturn %r", "%x: optional<f32[2]>", "%r: f32[2]",
      [.optional(nil)])
    #expect(get.contains("onnx:/get: the value is absent"), "\(get)")
    let join = try failure(
      "%r = sequence_join %x {axis = 0, shape = [s]} : f32[s] loc \"onnx:/join\"\nreturn %r", "%x: seq<f32[any]>",
      "%r: f32[s]", [.sequence([])])
    #expect(join.contains("onnx:/join: the sequence is empty"), "\(join)")
    let split = try failure(
      "%r = sequence_split %x, %k {axis = 0, member = f32[any]} : seq<f32[any]> loc \"onnx:/split\"\nreturn %r",
      "%x: f32[n], %k: i64[1]", "%r: seq<f32[any]>",
      [Self.floats([1, 2]), .tensor(Tensor(.i64, [1], integers: [3]))])
    #expect(split.contains("onnx:/split: the parts do not make up 2 elements"), "\(split)")
  }

  @Test func membersThatDoNotFitAreNamed() throws {
    let body = "%r = sequence_length %x : i64[]\nreturn %r"
    let shape = try failure(
      body, "%x: seq<f32[2]>", "%r: i64[]", [.sequence([Self.floats([1, 2]), Self.floats([1])])])
    #expect(shape.contains("input \"x\": dimension 0 of member 1 is 1"), "\(shape)")
    let rank = try failure(body, "%x: seq<f32[any]>", "%r: i64[]", [.sequence([Self.floats([1], [1, 1])])])
    #expect(rank.contains("input \"x\": member 0 has rank 2, expected 1"), "\(rank)")
    let type = try failure(body, "%x: seq<f32[any]>", "%r: i64[]", [.sequence([Self.texts(["a"])])])
    #expect(type.contains("input \"x\": member 0 has type str, expected f32"), "\(type)")
    let many = try failure(
      "%r = optional_has %x : bool[]\nreturn %r", "%x: optional<f32[2]>", "%r: bool[]",
      [.sequence([Self.floats([1, 2]), Self.floats([1, 2])])])
    #expect(many.contains("input \"x\""), "\(many)")
  }

  /// A length that no memory has is refused before anything is read.
  @Test func textsWithoutMemoryAreRefused() throws {
    let item = Case(
      name: "lengths", inputs: "%x: str[1]", results: "%r: str[1]",
      body: "%r = string_concat %x, %x : str[1]\nreturn %r", runs: [])
    let run = try KindRun(try item.module())
    for text in [martlet_string(data: nil, length: 3), martlet_string(data: nil, length: -1)] {
      let message = try run.failure(text: text)
      #expect(message.contains("status \(MARTLET_INVALID_ARGUMENT)") && message.contains("text 0"), "\(message)")
    }
  }
}
