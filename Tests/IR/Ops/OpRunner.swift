import IR
import Support
import Testing

/// Runs one op, or a few lines, written as `.mir`.
enum OpRunner {
  /// A module whose entry takes `%0`, `%1`, ... of these types and returns what `lines` call `%result`.
  static func module(_ lines: String, _ types: [String], declarations: String = "") throws(Diagnostic) -> Module {
    let arguments = types.enumerated().map { "%\($0): \($1)" }.joined(separator: ", ")
    // The parser types the op; its result is declared by the caller inside of `lines`.
    let result = lines.components(after: ": ").trimmed
    let text = """
      module @m {
        symbol n in 1...64
        symbol m in 1...64
        symbol s in 0...4096
        \(declarations)
        entry @main(\(arguments)) -> (%out: \(result)) {
          %result = \(lines)
          return %result
        }
      }
      """
    return try ModuleParser.parse(text, file: "op.mir")
  }

  /// The result of one op on tensors.
  static func run(
    _ line: String, _ inputs: [Tensor], declarations: String = "", types: [String]? = nil
  ) throws(Diagnostic) -> Tensor {
    let module = try module(line, types ?? inputs.map { $0.type.description }, declarations: declarations)
    let results = try Evaluator(module).run("main", inputs.map { .tensor($0) })
    return try results[0].expectTensor()
  }

  /// The message of the error that typing or evaluating the op ends in.
  static func error(
    _ line: String, _ inputs: [Tensor], declarations: String = "", types: [String]? = nil
  ) -> String? {
    do throws(Diagnostic) {
      _ = try run(line, inputs, declarations: declarations, types: types)
      return nil
    } catch {
      return error.message
    }
  }
}

extension String {
  /// What follows the last `separator`.
  fileprivate func components(after separator: String) -> String {
    var rest = Substring(self)
    while let range = rest.firstRange(of: separator) { rest = rest[range.upperBound...] }
    return String(rest)
  }
  fileprivate var trimmed: String { String(drop { $0 == " " }) }
}

func f32(_ shape: [Int], _ values: [Double]) -> Tensor { Tensor(.f32, shape, doubles: values) }
func i64(_ shape: [Int], _ values: [Int]) -> Tensor { Tensor(.i64, shape, integers: values) }
