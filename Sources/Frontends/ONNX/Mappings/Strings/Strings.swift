import IR
import Support

extension ONNXMapping {
  static let strings: [ONNXMapping] = [stringConcat, stringSplit, stringNormalizer, fullMatch, ngramCounts]

  static let stringConcat = ONNXMapping(["StringConcat"], 20...newest, inputs: 2...2) { c throws(Diagnostic) in
    [try c.add(StringConcat(), try c.input(0), try c.input(1))]
  }

  static let stringSplit = ONNXMapping(
    ["StringSplit"], 20...newest, inputs: 1...1, attributes: ["delimiter", "maxsplit"]
  ) { c throws(Diagnostic) in
    guard let symbol = c.freshSymbol("parts").symbolName else { throw .bug("a fresh symbol is none") }
    let limit = try c.int("maxsplit") ?? -1
    let kind = StringSplit(delimiter: try c.string("delimiter", default: ""), limit: limit, extent: symbol)
    return try c.results(kind, [try c.input(0)])
  }

  static let fullMatch = ONNXMapping(["RegexFullMatch"], 20...newest, inputs: 1...1, attributes: ["pattern"]) {
    c throws(Diagnostic) in
    [try c.add(StringMatch(pattern: try c.string("pattern", default: "")), try c.input(0))]
  }

  /// Words without those on a list, and with their letters made small or capital. The locale says nothing here: letters
  /// are Unicode's.
  static let stringNormalizer = ONNXMapping(
    ["StringNormalizer"], 10...newest, inputs: 1...1,
    attributes: ["case_change_action", "is_case_sensitive", "locale", "stopwords"]
  ) { c throws(Diagnostic) in
    let x = try c.input(0)
    let kept = try c.withoutStopWords(x)
    switch try c.string("case_change_action", default: "NONE") {
    case "NONE": return [kept]
    case "LOWER": return [try c.add(StringCase(to: .lower), kept)]
    case "UPPER": return [try c.add(StringCase(to: .upper), kept)]
    case let other: throw .invalid("case_change_action is \"\(other)\", expected NONE, LOWER or UPPER")
    }
  }
}

extension ONNXNodeContext {
  /// The words of a list that are none of `stopwords`; one empty word where none is left.
  fileprivate func withoutStopWords(_ x: ValueID) throws(Diagnostic) -> ValueID {
    let words = try byteStrings("stopwords") ?? []
    let shape = try shape(x)
    guard shape.count == 1 || (shape.count == 2 && shape[0].constant == 1), let count = shape.last else {
      throw .invalid("the input is \(try type(x)), expected a list")
    }
    if words.isEmpty { return x }
    var list = try reshape(x, [count])
    var (compared, stops) = (list, words)
    if try !flag("is_case_sensitive", default: false) {
      compared = try add(StringCase(to: .lower), list)
      let small = try add(StringCase(to: .lower), try constant(Tensor(strings: words, shape: [words.count])))
      guard let known = tensor(small) else { throw .unsupported("\(words.count) stop words are too many") }
      stops = known.strings
    }
    var isKept = try compare(.equal, try add(StringFind(keys: stops), compared), try scalar(stops.count))
    let isEmpty = try unary(.not, try reduce(.max, isKept, axes: [0]))
    isKept = try concat([isKept, isEmpty], axis: 0)
    list = try concat([list, try constant(Tensor(strings: [[]], shape: [1]))], axis: 0)
    let most = (count + 1).bounds(symbols).upperBound
    let kept = freshSymbol("kept", in: 0...max(most, 1))
    guard let symbol = kept.symbolName else { throw .bug("a fresh symbol is none") }
    let places = try reshape(try add(NonZero(extent: symbol), isKept), [kept])
    return try reshape(try add(Gather(axis: 0), list, places), shape.dropLast() + [kept])
  }

  /// Whether elements are equal, strings or numbers; NaN is equal to itself where `nan` says so.
  func equal(_ a: ValueID, _ b: ValueID, nan: Bool = false) throws(Diagnostic) -> ValueID {
    let same = try compare(.equal, a, b)
    guard nan, try element(a).isFloat else { return same }
    return try binary(.or, same, try binary(.and, try unary(.isNaN, a), try unary(.isNaN, b)))
  }
}
