import Formats
import IR
import Support

extension StringConcat: ONNXEmission {
  func emit(_ c: ONNXEmissionContext) throws(Diagnostic) -> [String] { [c.node("StringConcat", try c.inputs())] }
}

extension StringFormat: ONNXEmission {
  func emit(_ c: ONNXEmissionContext) throws(Diagnostic) -> [String] { [c.cast(try c.input(0), to: .string)] }
}

extension StringParse: ONNXEmission {
  func emit(_ c: ONNXEmissionContext) throws(Diagnostic) -> [String] {
    guard case .plain(let element) = to else { throw .unsupported("string_parse: the format has no elements \(to)") }
    return [c.cast(try c.input(0), to: element)]
  }
}

extension StringMatch: ONNXEmission {
  func emit(_ c: ONNXEmissionContext) throws(Diagnostic) -> [String] {
    [c.node("RegexFullMatch", [try c.input(0)], [ONNXAttribute("pattern", string: pattern)])]
  }
}

extension StringSplit: ONNXEmission {
  func emit(_ c: ONNXEmissionContext) throws(Diagnostic) -> [String] {
    var attributes: [ONNXAttribute] = []
    if !delimiter.isEmpty { attributes.append(ONNXAttribute("delimiter", string: delimiter)) }
    if limit >= 0 { attributes.append(ONNXAttribute("maxsplit", int: limit)) }
    return c.nodes("StringSplit", [try c.input(0)], attributes, outputs: 2)
  }
}

extension StringCase: ONNXEmission {
  func emit(_ c: ONNXEmissionContext) throws(Diagnostic) -> [String] {
    let shape = try c.type(0).shape
    let attributes = [
      ONNXAttribute("case_change_action", string: to == .lower ? "LOWER" : "UPPER"),
      ONNXAttribute("is_case_sensitive", int: 1),
    ]
    // The format's operator takes a row.
    let row = shape.count == 1 ? try c.input(0) : try c.reshaped(try c.input(0), to: [-1])
    let result = c.node("StringNormalizer", [row], attributes)
    return [shape.count == 1 ? result : c.node("Reshape", [result, try c.dims(shape)])]
  }
}

extension StringFind: ONNXEmission {
  /// The first key that is equal, behind all of which stands one that always is.
  func emit(_ c: ONNXEmissionContext) throws(Diagnostic) -> [String] {
    guard let keys else { throw .bug("string_find has no keys") }
    let shape = try c.type(0).shape
    let column = c.node("Unsqueeze", [try c.input(0), try c.integers([shape.count])])
    let matches = c.node("Equal", [column, try c.constant(keys)])
    let always = c.node("Expand", [try c.constant(.scalar(1, .bool)), try c.dims(shape + [1])])
    let all = c.node("Concat", [matches, always], [ONNXAttribute("axis", int: shape.count)])
    let attributes = [ONNXAttribute("axis", int: shape.count), ONNXAttribute("keepdims", int: 0)]
    return [c.node("ArgMax", [c.cast(all, to: .i32)], attributes)]
  }
}
