import IR
import Support
import Testing

/// What ops accept and what they say about the rest.
@Suite struct TypingTests {
  struct Refused: CustomTestStringConvertible, Sendable {
    var line: String
    var types: [String]
    var message: String
    init(_ line: String, _ types: [String], _ message: String) {
      self.line = line
      self.types = types
      self.message = message
    }
    var testDescription: String { line }
  }

  static let contractions = [
    Refused("matmul %0, %1 : f32[2, 2]", ["f32[2, 3]", "f32[4, 2]"], "matmul: the summed extents"),
    Refused("matmul %0, %1 : f32[2, 2]", ["f32[2, 3]", "f16[3, 2]"], "matmul: cannot multiply"),
    Refused("matmul %0, %1 : i32[2, 2]", ["i8[2, 3]", "u8[3, 2]"], "matmul: cannot multiply"),
    Refused("matmul %0, %1 : f32[2]", ["f32[2]", "f32[2, 2]"], "expected at least two axes"),
    Refused("matmul %0, %1, %2 : f32[2, 2]", ["f32[2, 2]", "f32[2, 2]", "f32[3]"], "does not broadcast"),
    Refused("matmul %0, %1, %2 : i32[2, 2]", ["u8[2, 2]", "i8[2, 2]", "f32[2]"], "the bias is f32[2]"),
    Refused("matmul %0, %1 {transpose_rhs = true} : f32[2, 4]", ["f32[2, 4]", "f32[4, 4] @panels8"], "b is packed"),
    Refused("conv %0, %1 : f32[1, 1, 1, 1]", ["f32[1, 1, 2, 1]", "f32[1, 3, 3, 1]"], "does not fit axis 0"),
    Refused("conv %0, %1 {strides = [0, 1]} : f32[1, 1, 1, 1]", ["f32[1, 2, 2, 1]", "f32[1, 1, 1, 1]"], "strides"),
    Refused("conv %0, %1 {padding = [1, 1]} : f32[1, 1, 1, 1]", ["f32[1, 2, 2, 1]", "f32[1, 1, 1, 1]"], "padding"),
    Refused("conv %0, %1 {groups = 2} : f32[1, 2, 2, 3]", ["f32[1, 2, 2, 4]", "f32[3, 1, 1, 2]"], "into 2 groups"),
    Refused("conv %0, %1 {groups = 0} : f32[1, 2, 2, 3]", ["f32[1, 2, 2, 4]", "f32[3, 1, 1, 2]"], "groups is 0"),
    Refused("conv %0, %1 : f32[1, 2, 2, 3]", ["f32[1, 2, 2, 4]", "f32[3, 1, 1, 2]"], "do not take the channels"),
    Refused("conv %0, %1 : f32[1, 2]", ["f32[1, 2]", "f32[3, 1]"], "expected 3 to 5 axes"),
    Refused("conv %0, %1 : f32[1, 2, 2]", ["f32[1, 2, 1]", "f32[4, 8] @panels8"], "kernel must be given"),
    Refused("max_pool %0 {window = [2]} : f32[1, 1, 1, 1]", ["f32[1, 2, 2, 1]"], "for the window [2]"),
    Refused("max_pool %0 : f32[1, 1, 1, 1]", ["f32[1, 2, 2, 1]"], "has 0 axes"),
    Refused(
      "avg_pool %0 {window = [9223372036854775807]} : f32[1, 2, 1]", ["f32[1, 2, 1]"], "window [9223372036854775807]"),
    Refused("avg_pool %0 {window = [1]} : i8[1, 2, 1]", ["i8[1, 2, 1]"], "cannot take i8[1, 2, 1]"),
  ]

  static let movements = [
    Refused("reshape %0 {shape = [7]} : f32[7]", ["f32[2, 3]"], "another number of elements"),
    Refused("reshape %0 {shape = [-2, -3]} : f32[6]", ["f32[2, 3]"], "negative extent"),
    Refused("transpose %0 {permutation = [0, 0]} : f32[2, 2]", ["f32[2, 3]"], "does not permute"),
    Refused("slice %0 {starts = [0], sizes = [4], steps = [1]} : f32[4]", ["f32[3]"], "index 3 of axis 0"),
    Refused("slice %0 {starts = [0], sizes = [2], steps = [-1]} : f32[2]", ["f32[3]"], "index -1 of axis 0"),
    Refused("slice %0 {starts = [0], sizes = [2], steps = [0]} : f32[2]", ["f32[3]"], "a step of axis 0 is 0"),
    Refused("slice %0 {starts = [0], sizes = [n + 1], steps = [1]} : f32[n + 1]", ["f32[n]"], "index n of axis 0"),
    Refused("slice %0 {starts = [0], sizes = [1], steps = [1]} : f32[1]", ["f32[3, 1]"], "takes 2 starts"),
    Refused("concat %0, %1 {axis = 0} : f32[4]", ["f32[2]", "f16[2]"], "cannot join"),
    Refused("concat %0, %1 {axis = 0} : f32[4, 2]", ["f32[2, 2]", "f32[2, 3]"], "cannot join"),
    Refused("concat %0 {axis = 2} : f32[2, 2]", ["f32[2, 2]"], "axis 2 is outside of rank 2"),
    Refused("concat : f32[2]", [], "at least one operand"),
    Refused("gather %0, %1 {axis = -3} : f32[2]", ["f32[2, 2]", "i64[2]"], "axis -3 is outside of rank 2"),
    Refused("gather %0, %1 {axis = 1} : q8_0[2, 32]", ["q8_0[2, 32]", "i64[32]"], "parts of the blocks"),
    Refused("gather %0, %1 : f32[2]", ["f32[2]", "f32[2]"], "expected integer"),
    Refused("broadcast %0 {shape = [3]} : f32[3]", ["f32[2]"], "does not broadcast"),
    Refused("broadcast %0 {shape = [2]} : f32[2]", ["f32[1, 2]"], "does not broadcast"),
    Refused("broadcast %0 {shape = [1099511627776, 1099511627776]} : f32[1]", ["f32[1]"], "too large"),
    Refused("pad %0 {before = [1], after = []} : f32[3]", ["f32[2]"], "takes 1 numbers"),
    Refused("pad %0 {before = [-3], after = [9]} : f32[8]", ["f32[2]"], "no 3 elements to cut off"),
    Refused("pad %0 {before = [9223372036854775807], after = [1]} : f32[8]", ["f32[2]"], "too large"),
    Refused("non_zero %0 {extent = 2 * s} : i64[1, 2 * s]", ["f32[2]"], "expected a symbol"),
    Refused("transpose %0 {permutation = [1, 0]} : i8<!axis>[2, 2]", ["i8<!axis>[2, 2]"], "differ along an axis"),
  ]

  static let others = [
    Refused("add %0, %1 : f32[2]", ["f32[2]", "f16[2]"], "add: cannot take"),
    Refused("add %0, %1 : f32[2]", ["f32[2]", "f32[3]"], "do not broadcast"),
    Refused("add %0, %1 : bool[2]", ["bool[2]", "bool[2]"], "add: cannot take"),
    Refused("shift_left %0, %1 : f32[2]", ["f32[2]", "f32[2]"], "shift_left: cannot take"),
    Refused("exp %0 : i32[2]", ["i32[2]"], "exp: cannot take"),
    Refused("not %0 : i32[2]", ["i32[2]"], "not: cannot take"),
    Refused("less %0, %1 : bool[2]", ["bool[2]", "bool[2]"], "less: cannot compare"),
    Refused("select %0, %1, %1 : f32[2]", ["f32[2]", "f32[2]"], "expected bool"),
    Refused("cast %0 {to = str} : str[2]", ["f32[2]"], "cast: cannot convert"),
    Refused("reduce_sum %0 {axes = [1]} : f32[2]", ["f32[2]"], "axis 1 is outside"),
    Refused("reduce_sum %0 {axes = [0, -1]} : f32[]", ["f32[2]"], "listed twice"),
    Refused("reduce_sum %0 : bool[]", ["bool[2]"], "cannot take bool[2]"),
    Refused("softmax %0 : f32[]", ["f32[]"], "outside of rank 0"),
    Refused("quantize %0 {to = i8} : i8[2]", ["f32[2]"], "takes a scale operand"),
    Refused("quantize %0, %1 {to = i8} : i8[2]", ["f32[2]", "f32[3]"], "do not fit axis 0"),
    Refused("quantize %0, %1 {to = i8<!one>} : i8<!one>[2]", ["f32[2]", "f32[]"], "brings its parameters"),
    Refused("quantize %0 {to = i8<!axis>} : i8<!axis>[2, 3]", ["f32[2, 3]"], "!axis does not fit"),
    Refused("quantize %0, %1 {to = q8_0} : q8_0[32]", ["f32[32]", "f32[]"], "cannot make blocks"),
    Refused("dequantize %0, %1, %2 : f32[2]", ["i8[2]", "f32[]", "u8[]"], "the zero point is u8[]"),
    Refused("dequantize %0 {to = i8} : i8[32]", ["q8_0[32]"], "cannot give i8"),
    Refused("extent %0 {symbol = s + 1} : i64[]", ["i64[]"], "expected one symbol"),
    Refused("sequence_at %0, %1 : f32[2]", ["f32[2]", "i64[]"], "expected a sequence"),
    Refused("sequence_make %0, %1 : seq<f32[2]>", ["f32[2]", "f32[3]"], "an operand is f32[3]"),
    Refused("sequence_make : seq<f32[2]>", [], "takes an element type"),
    Refused("state_read {state = @nothing} : f32[2]", [], "there is no state @nothing"),
  ]

  static let declarations = """
    quantization !one = {scales = [0.5], zero_points = [3]}
    quantization !axis = {scales = [0.5, 0.25], zero_points = [0, 0], axis = 1}
    """

  @Test(arguments: contractions + movements + others)
  func isRefused(_ refused: Refused) {
    let message = OpRunner.typingError(refused.line, refused.types, declarations: Self.declarations)
    #expect(message?.contains(refused.message) == true, "\(message ?? "it was accepted")")
  }

  @Test(arguments: [
    ("matmul %0, %1 : f32[n, m, 7]", ["f32[n, m, 5]", "f32[5, 7]"]),
    ("matmul %0, %1 : f32[n, m, m]", ["f32[n, m, 2 * n]", "f32[1, n + n, m]"]),
    (
      "conv %0, %1 {strides = [2, 2], padding = [1, 1, 1, 1]} : f32[n, floordiv(m - 1, 2) + 1, 4, 6]",
      ["f32[n, m, 8, 3]", "f32[6, 3, 3, 3]"]
    ),
    ("max_pool %0 {window = [2], strides = [2]} : f32[1, n, 3]", ["f32[1, 2 * n, 3]"]),
    ("reshape %0 {shape = [n * m, 6]} : f32[n * m, 6]", ["f32[n, 2, m, 3]"]),
    ("concat %0, %1 {axis = 0} : f32[n + m + 1, 3]", ["f32[n + 1, 3]", "f32[m, 3]"]),
    ("gather %0, %1 {axis = 1} : f32[2, n, m, 4]", ["f32[2, 3, 4]", "i64[n, m]"]),
    ("pad %0 {before = [1], after = [2]} : f32[n + 3]", ["f32[n]"]),
    ("slice %0 {starts = [n - 1], sizes = [n], steps = [-1]} : f32[n]", ["f32[n]"]),
    ("add %0, %1 : f32[n, m]", ["f32[n, 1]", "f32[m]"]),
    ("reduce_sum %0 {axes = [-1], keep_dims = true} : f32[n, 1]", ["f32[n, m]"]),
    ("dim {value = max(n, 3) * 2} : i64[]", []),
  ])
  func symbolsCarryThrough(_ line: String, _ types: [String]) {
    #expect(OpRunner.typingError(line, types) == nil)
  }

  @Test func unprovedEqualitiesBecomeChecks() throws {
    // `add` of [n] and [4] is the one [4], if n turns out to be 4.
    var module = Module(name: "m")
    module.declare(symbol: "n", in: 1...64)
    var builder = GraphBuilder(module: module, function: Function(name: "main"))
    let a = builder.argument("a", ValueFact(.f32, [Dim(symbol: "n")]))
    let b = builder.argument("b", ValueFact(.f32, [4]))
    let sum = try builder.add(Binary(.add), a, b)
    #expect(builder.function.type(sum) == .tensor(.f32, [4]))
    builder.function.setResults([("sum", sum)])
    let finished = builder.finish()
    try Verifier.verify(finished)
    let four = Value.tensor(f32([4], [1, 2, 3, 4]))
    #expect(try Evaluator(finished).run("main", [four, four])[0].expectTensor().doubles() == [2, 4, 6, 8])
    #expect(throws: Diagnostic.self) { try Evaluator(finished).run("main", [.tensor(f32([1], [1])), four]) }
  }
}
