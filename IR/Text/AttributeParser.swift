import Support

/// The visitor that reads `{name = value, ...}` into an op's attributes.
///
/// The list is scanned once for the names; each visit then reads its own value where it stands.
struct AttributeParser: AttributeVisitor {
  private var reader: Reader
  /// Where each value starts and ends; nil for a name alone, which is a flag.
  private var values: [String: Range<Int>?] = [:]
  private var places: [String: Int] = [:]
  private var known: [String] = []
  private let mnemonic: String

  /// Reads a list if one is next, into `kind`, and leaves `reader` behind it.
  static func parse(into kind: inout any OpKind, _ reader: inout Reader) throws(Diagnostic) {
    guard reader.cursor.token.kind == .mark(.openBrace) else { return }
    let start = reader.cursor.token.start
    var parser = AttributeParser(kind.mnemonic, reader)
    try parser.scan()
    reader = parser.reader
    do throws(Diagnostic) { try kind.attributes(&parser) } catch { throw error.located(reader.cursor.location(start)) }
    try parser.rejectUnknown()
  }

  private init(_ mnemonic: String, _ reader: Reader) {
    self.mnemonic = mnemonic
    self.reader = reader
  }

  private mutating func scan() throws(Diagnostic) {
    var values: [String: Range<Int>?] = [:]
    var places: [String: Int] = [:]
    let mnemonic = mnemonic
    try reader.list(.openBrace, .closeBrace, "the attributes") { reader throws(Diagnostic) in
      let place = reader.cursor.token.start
      let name = try reader.cursor.word("the name of an attribute")
      guard places[name] == nil else { throw reader.cursor.error("\(mnemonic): \(name) is written twice", at: place) }
      places[name] = place
      values[name] = .some(nil)
      guard try reader.cursor.take(.equals) else { return }
      let start = reader.cursor.token.start
      try reader.skipValue()
      guard reader.cursor.previousEnd > start else {
        throw reader.cursor.error("\(mnemonic): \(name) has no value", at: start)
      }
      values[name] = start..<reader.cursor.previousEnd
    }
    self.values = values
    self.places = places
  }

  private func rejectUnknown() throws(Diagnostic) {
    guard let (name, place) = places.filter({ !known.contains($0.key) }).min(by: { $0.value < $1.value }) else {
      return
    }
    let meant = closest(to: name, among: known).map { "did you mean \($0)? " } ?? ""
    let list = known.isEmpty ? "it has none" : "it has \(known.joined(separator: ", "))"
    throw reader.cursor.error("\(mnemonic) has no attribute \(name)", at: place, hint: meant + list)
  }

  /// Reads the value of `name` if it is written.
  private mutating func read<Result>(
    _ name: String, _ parse: (inout Reader) throws(Diagnostic) -> Result
  ) throws(Diagnostic) -> Result? {
    known.append(name)
    guard let written = values[name] else { return nil }
    guard let range = written else {
      throw reader.cursor.error("\(mnemonic): \(name) takes a value", at: places[name])
    }
    var reader = reader
    try reader.cursor.seek(range.lowerBound)
    let result = try parse(&reader)
    guard reader.cursor.previousEnd == range.upperBound else {
      throw reader.cursor.error("\(mnemonic): expected the end of \(name), found \(reader.cursor.shown)")
    }
    return result
  }

  private mutating func list<Item>(
    _ name: String, _ item: (inout Reader) throws(Diagnostic) -> Item
  ) throws(Diagnostic) -> [Item]? {
    try read(name) { reader throws(Diagnostic) in
      var items: [Item] = []
      try reader.list(.openBracket, .closeBracket, name) { reader throws(Diagnostic) in items.append(try item(&reader))
      }
      return items
    }
  }

  mutating func int(_ name: String, _ value: inout Int) throws(Diagnostic) {
    if let new = try read(name, { r throws(Diagnostic) in try r.int("an integer") }) { value = new }
  }
  mutating func float(_ name: String, _ value: inout Double) throws(Diagnostic) {
    if let new = try read(name, { r throws(Diagnostic) in try r.double("a number") }) { value = new }
  }
  mutating func bool(_ name: String, _ value: inout Bool) throws(Diagnostic) {
    if case .some(nil) = values[name] {
      known.append(name)
      value = true
    } else if let new = try read(name, { r throws(Diagnostic) in try r.flag() }) {
      value = new
    }
  }
  mutating func string(_ name: String, _ value: inout String) throws(Diagnostic) {
    if let new = try read(name, { r throws(Diagnostic) in try r.cursor.string("a text") }) { value = new }
  }
  mutating func ints(_ name: String, _ value: inout [Int]) throws(Diagnostic) {
    if let new = try list(name, { r throws(Diagnostic) in try r.int("an integer") }) { value = new }
  }
  mutating func dim(_ name: String, _ value: inout Dim) throws(Diagnostic) {
    if let new = try read(name, { r throws(Diagnostic) in try r.dim() }) { value = new }
  }
  mutating func dims(_ name: String, _ value: inout [Dim]) throws(Diagnostic) {
    if let new = try list(name, { r throws(Diagnostic) in try r.dim() }) { value = new }
  }
  mutating func strings(_ name: String, _ value: inout [String]) throws(Diagnostic) {
    if let new = try list(name, { r throws(Diagnostic) in try r.cursor.string("a text") }) { value = new }
  }
  mutating func element(_ name: String, _ value: inout TensorElement) throws(Diagnostic) {
    if let new = try read(name, { r throws(Diagnostic) in try r.element() }) { value = new }
  }
  mutating func type(_ name: String, _ value: inout ValueType?) throws(Diagnostic) {
    let new = try read(name) { r throws(Diagnostic) -> ValueType? in
      try r.cursor.take(word: "none") ? nil : try r.type()
    }
    if let new { value = new }
  }
  mutating func tensor(_ name: String, _ value: inout Tensor?) throws(Diagnostic) {
    let new = try read(name) { r throws(Diagnostic) -> Tensor? in
      try r.cursor.take(word: "none") ? nil : try r.tensor()
    }
    if let new { value = new }
  }
  mutating func reference(_ name: String, _ value: inout String) throws(Diagnostic) {
    if let new = try read(name, { r throws(Diagnostic) in try r.reference() }) { value = new }
  }
  mutating func references(_ name: String, _ value: inout [String]) throws(Diagnostic) {
    if let new = try list(name, { r throws(Diagnostic) in try r.reference() }) { value = new }
  }
  mutating func choice<Choice: RawRepresentable & CaseIterable & Hashable>(
    _ name: String, _ value: inout Choice
  ) throws(Diagnostic) where Choice.RawValue == String {
    let mnemonic = mnemonic
    let new = try read(name) { r throws(Diagnostic) -> Choice in
      let start = r.cursor.token.start
      let word = try r.cursor.word("a word")
      if let choice = Choice(rawValue: word) { return choice }
      let words = Choice.allCases.map(\.rawValue)
      let meant = closest(to: word, among: words).map { "did you mean \($0)? " } ?? ""
      throw r.cursor.error(
        "\(mnemonic): \(name) cannot be \(word)", at: start,
        hint: meant + "it is one of \(words.joined(separator: ", "))")
    }
    if let new { value = new }
  }
}

extension Reader {
  /// `@kv`, or the bare word of a symbol.
  fileprivate mutating func reference() throws(Diagnostic) -> String {
    if cursor.token.kind == .word { return try cursor.word("a name") }
    return try cursor.name(.reference, "a name with @").name
  }

  /// Moves to the comma or the brace behind a value. Counts brackets instead of recursing.
  fileprivate mutating func skipValue() throws(Diagnostic) {
    var depth = 0
    while true {
      switch cursor.token.kind {
      case .mark(.comma) where depth == 0, .mark(.closeBrace) where depth == 0: return
      case .mark(.openBracket), .mark(.openParenthesis), .mark(.openBrace): depth += 1
      case .mark(.closeBracket), .mark(.closeParenthesis), .mark(.closeBrace):
        depth -= 1
        guard depth >= 0 else { throw cursor.error("unexpected \(cursor.shown)") }
      case .end: throw cursor.error("the attributes are not closed")
      default: break
      }
      try cursor.advance()
    }
  }
}
