import Formats
import IR
import Support

extension ONNXMapping {
  static let strings: [ONNXMapping] = [stringConcat, stringSplit, regexFullMatch, stringNormalizer, labelEncoder]

  static let stringConcat = ONNXMapping(["StringConcat"], 20...newest, inputs: 2...2) { c throws(Diagnostic) in
    [try c.add(StringConcat(), try c.input(0), try c.input(1))]
  }

  static let stringSplit = ONNXMapping(
    ["StringSplit"], 20...newest, inputs: 1...1, attributes: ["delimiter", "maxsplit"]
  ) { c throws(Diagnostic) in
    guard let extent = c.freshSymbol("pieces").symbolName else { throw .bug("a fresh symbol is none") }
    let kind = StringSplit(
      delimiter: try c.string("delimiter", default: ""), limit: try c.int("maxsplit", default: -1), extent: extent)
    return try c.results(kind, [try c.input(0)])
  }

  static let regexFullMatch = ONNXMapping(["RegexFullMatch"], 20...newest, inputs: 1...1, attributes: ["pattern"]) {
    c throws(Diagnostic) in
    [try c.add(StringMatch(pattern: try c.string("pattern", default: "")), try c.input(0))]
  }

  /// Drops stop words, then changes case. What is left of nothing is one empty text.
  static let stringNormalizer = ONNXMapping(
    ["StringNormalizer"], 10...newest, inputs: 1...1,
    attributes: ["case_change_action", "is_case_sensitive", "locale", "stopwords"]
  ) { c throws(Diagnostic) in
    let given = try c.input(0)
    let shape = try c.shape(given)
    guard try c.element(given) == .string, shape.count == 1 || (shape.count == 2 && shape[0] == 1) else {
      throw .invalid("the input is \(try c.type(given)), expected str[n] or str[1, n]")
    }
    let action = try c.string("case_change_action", default: "NONE")
    let form: StringCase.Form? = action == "LOWER" ? .lower : action == "UPPER" ? .upper : nil
    guard form != nil || action == "NONE" else {
      throw .invalid("case_change_action is \"\(action)\", expected LOWER, UPPER or NONE")
    }
    var x = try c.reshape(given, [shape[shape.count - 1]])
    let words = try c.byteStrings("stopwords") ?? []
    if !words.isEmpty {
      // Without regard to case, both are compared in one of them.
      let isSensitive = try c.flag("is_case_sensitive", default: false)
      let lower = StringCase(to: .lower)
      let compared = isSensitive ? x : try c.add(lower, x)
      let keys = isSensitive ? words : words.map { lower.converted($0) }
      let found = try c.add(StringFind(keys: keys), compared)
      let keeps = try c.compare(.equal, found, try c.scalar(keys.count))
      guard let extent = c.freshSymbol("words").symbolName else { throw .bug("a fresh symbol is none") }
      let places = try c.add(NonZero(extent: extent), keeps)
      let count = Dim(symbol: extent)
      x = try c.add(Gather(axis: 0), x, try c.reshape(places, [count]))
      let padded = try c.concat([x, try c.constant(Tensor(strings: [[]], shape: [1]))], axis: 0)
      x = try c.slice(padded, axis: 0, start: 0, size: Dim.maximum(count, 1))
    }
    if let form { x = try c.add(StringCase(to: form), x) }
    return [try c.reshape(x, (shape.count == 2 ? [1] : []) + (try c.shape(x)))]
  }
}
