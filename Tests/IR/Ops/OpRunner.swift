import IR
import Support

/// Runs one op written as `.mir`: `add %0, %1 : f32[4]`.
enum OpRunner {
  /// A module whose entry takes `%0`, `%1`, ... of these types and returns the op's one result.
  static func module(_ line: String, _ types: [String], declarations: String = "") throws(Diagnostic) -> Module {
    let arguments = types.enumerated().map { "%\($0): \($1)" }.joined(separator: ", ")
    // Attributes hold no colon with a space before it, so the last one starts the result's type.
    let result = line.split(separator: " : ").last ?? ""
    let text = """
      module @m {
        symbol n in 1...64
        symbol m in 1...64
        symbol s in 0...4096
        \(declarations)
        entry @main(\(arguments)) -> (%out: \(result)) {
          %result = \(line)
          return %result
        }
      }
      """
    return try ModuleParser.parse(text, file: "op.mir")
  }

  /// The op's result on these tensors; `types` overrides their types, to name symbols.
  static func run(
    _ line: String, _ inputs: [Tensor], types: [String]? = nil, declarations: String = ""
  ) throws(Diagnostic) -> Tensor {
    let module = try module(line, types ?? inputs.map { $0.type.description }, declarations: declarations)
    return try Evaluator(module).run("main", inputs.map { .tensor($0) })[0].expectTensor()
  }

  /// One of the results, of these types, of an op.
  static func run(
    _ line: String, results: [String], number: Int, _ inputs: [Tensor]
  ) throws(Diagnostic) -> Tensor {
    let arguments = inputs.enumerated().map { "%\($0): \($1.type)" }.joined(separator: ", ")
    let names = results.indices.map { "%r\($0)" }.joined(separator: ", ")
    let text = """
      module @m {
        symbol s in 0...4096
        entry @main(\(arguments)) -> (%out: \(results[number])) {
          \(names) = \(line) : \(results.joined(separator: ", "))
          return %r\(number)
        }
      }
      """
    let module = try ModuleParser.parse(text, file: "op.mir")
    return try Evaluator(module).run("main", inputs.map { .tensor($0) })[0].expectTensor()
  }

  /// The message that typing the op ends in.
  static func typingError(_ line: String, _ types: [String], declarations: String = "") -> String? {
    do throws(Diagnostic) {
      _ = try module(line, types, declarations: declarations)
      return nil
    } catch {
      return error.message
    }
  }

  /// The message that evaluating the op ends in.
  static func evaluationError(_ line: String, _ inputs: [Tensor], types: [String]? = nil) -> String? {
    do throws(Diagnostic) {
      _ = try run(line, inputs, types: types)
      return nil
    } catch {
      return error.message
    }
  }
}

func f32(_ shape: [Int], _ values: [Double]) -> Tensor { Tensor(.f32, shape, doubles: values) }
func i64(_ shape: [Int], _ values: [Int]) -> Tensor { Tensor(.i64, shape, integers: values) }
