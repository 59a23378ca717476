import Support

extension Kernel {
  /// Reads one kernel of printed loop IR. What comes back is typed, and its values
  /// are defined before use; `verify` checks the rest.
  public init(parsing text: String, file: String? = nil) throws(Diagnostic) {
    let all = try Kernel.parseAll(text, file: file)
    guard all.count == 1 else {
      throw .invalid("expected one kernel, found \(all.count)", at: Location(file: file))
    }
    self = all[0]
  }

  /// Reads a file of kernels.
  public static func parseAll(_ text: String, file: String? = nil) throws(Diagnostic) -> [Kernel] {
    var kernels: [Kernel] = []
    var parser = try KernelParser(KernelLexer(Array(text.utf8), file: file))
    while !parser.atEnd { kernels.append(try parser.parseKernel()) }
    return kernels
  }
}

struct KernelParser {
  typealias Token = KernelLexer.Token

  private var lexer: KernelLexer
  var token: Token
  var kernel = Kernel(name: "")
  private var values: [Int: LoopValue] = [:]
  private var depth = 0
  private static let maximumDepth = 64

  init(_ lexer: KernelLexer) throws(Diagnostic) {
    self.lexer = lexer
    token = try self.lexer.next()
  }

  var atEnd: Bool { token == .end }
  /// The offset of the token to be read next.
  var offset: Int { lexer.tokenStart }

  // MARK: Tokens

  func error(_ message: String) -> Diagnostic { lexer.error(message) }
  mutating func advance() throws(Diagnostic) { token = try lexer.next() }

  mutating func expect(_ mark: String) throws(Diagnostic) {
    guard token == .mark(mark) else { throw error("expected '\(mark)'") }
    try advance()
  }

  mutating func accept(_ mark: String) throws(Diagnostic) -> Bool {
    guard token == .mark(mark) else { return false }
    try advance()
    return true
  }

  mutating func acceptWord(_ text: String) throws(Diagnostic) -> Bool {
    guard token == .word(text) else { return false }
    try advance()
    return true
  }

  mutating func word(_ what: String) throws(Diagnostic) -> String {
    guard case .word(let text) = token else { throw error("expected \(what)") }
    try advance()
    return text
  }

  mutating func expectWord(_ text: String) throws(Diagnostic) {
    guard try acceptWord(text) else { throw error("expected '\(text)'") }
  }

  mutating func integer() throws(Diagnostic) -> Int {
    guard case .number(let text) = token, let value = Int(text) else { throw error("expected an integer") }
    try advance()
    return value
  }

  mutating func use() throws(Diagnostic) -> LoopValue {
    guard case .value(let number) = token else { throw error("expected a value") }
    guard let value = values[number] else { throw error("%\(number) is used before it is defined") }
    try advance()
    return value
  }

  mutating func useList() throws(Diagnostic) -> [LoopValue] {
    var result = [try use()]
    while try accept(",") { result.append(try use()) }
    return result
  }

  mutating func newName() throws(Diagnostic) -> Int {
    guard case .value(let number) = token else { throw error("expected a value") }
    try advance()
    return number
  }

  mutating func define(_ number: Int, _ type: LoopType) throws(Diagnostic) -> LoopValue {
    if values[number] != nil { throw error("%\(number) is defined twice") }
    kernel.types.append(type)
    let value = LoopValue(id: kernel.types.count - 1)
    values[number] = value
    return value
  }

  // MARK: Kernel

  mutating func parseKernel() throws(Diagnostic) -> Kernel {
    kernel = Kernel(name: "")
    values = [:]
    try expectWord("kernel")
    guard case .symbol(let name) = token else { throw error("expected @ and the kernel's name") }
    kernel.name = name
    try advance()
    try expect("(")
    if try !accept(")") {
      repeat { try parseParameter() } while try accept(",")
      try expect(")")
    }
    try expect("{")
    while try acceptWord("local") { try parseLocal() }
    kernel.body = try parseBlock()
    return kernel
  }

  private mutating func parseParameter() throws(Diagnostic) {
    let name = try word("a parameter's name")
    try expect(":")
    let kind = try word("`index` or a buffer's access")
    if kind == "index" {
      kernel.scalars.append(ScalarParameter(name: name))
      return
    }
    guard let access = Access(rawValue: kind) else { throw error("no access is called '\(kind)'") }
    let scalar = try parseScalar()
    try expect("[")
    let elements = try accept("*") ? nil : try integer()
    try expect("]")
    try expectWord("align")
    kernel.buffers.append(
      BufferParameter(name: name, scalar: scalar, access: access, elements: elements, alignment: try integer()))
  }

  private mutating func parseLocal() throws(Diagnostic) {
    let name = try word("an array's name")
    try expect(":")
    let scalar = try parseScalar()
    try expect("[")
    let count = try integer()
    try expect("]")
    try expectWord("align")
    kernel.locals.append(LocalArray(name: name, scalar: scalar, count: count, alignment: try integer()))
  }

  private mutating func parseScalar() throws(Diagnostic) -> LoopScalar {
    let name = try word("an element type")
    guard let scalar = LoopScalar(rawValue: name) else { throw error("no element type is called '\(name)'") }
    return scalar
  }

  /// `f32`, `f32x16`.
  mutating func parseType() throws(Diagnostic) -> LoopType {
    let name = try word("a type")
    if let scalar = LoopScalar(rawValue: name) { return LoopType(scalar) }
    if let cross = name.lastIndex(of: "x"), let scalar = LoopScalar(rawValue: String(name[..<cross])),
      let lanes = Int(name[name.index(after: cross)...]), lanes > 1, lanes <= KernelVerifier.maximumLanes
    {
      return LoopType(scalar, lanes: lanes)
    }
    throw error("no type is called '\(name)'")
  }

  // MARK: Statements

  /// Statements up to the closing brace, which is taken too.
  private mutating func parseBlock() throws(Diagnostic) -> [Statement] {
    let (statements, _) = try parseBlock(yields: false)
    return statements
  }

  private mutating func parseBlock(yields: Bool) throws(Diagnostic) -> ([Statement], [LoopValue]) {
    var statements: [Statement] = []
    while true {
      if try accept("}") { return (statements, []) }
      if yields, try acceptWord("yield") {
        let values = try useList()
        try expect("}")
        return (statements, values)
      }
      statements.append(try parseStatement())
    }
  }

  private mutating func parseStatement() throws(Diagnostic) -> Statement {
    depth += 1
    defer { depth -= 1 }
    if depth > KernelParser.maximumDepth { throw error("nested deeper than \(KernelParser.maximumDepth)") }
    var results: [Int] = []
    if case .value = token {
      repeat { results.append(try newName()) } while try accept(",")
      try expect("=")
    }
    let mnemonic = try word("a statement")
    switch mnemonic {
    case "for": return try parseFor(results)
    case "while": return try parseWhile(results)
    case "if": return try parseIf(results)
    case _ where results.isEmpty: return try parseEffect(mnemonic)
    case _ where results.count > 1: throw error("'\(mnemonic)' has one result")
    default: break
    }
    let (operation, type) = try parseOperation(mnemonic)
    return .define(try define(results[0], type), operation)
  }

  private mutating func parseEffect(_ mnemonic: String) throws(Diagnostic) -> Statement {
    switch mnemonic {
    case "store":
      let value = try use()
      try expect(",")
      let address = try parseAddress()
      let mask = try parseMask()
      return .store(value, address, mask: mask, alignment: try parseAlignment(address))
    case "scatter":
      let value = try use()
      try expect(",")
      let address = try parseAddress()
      let indices = try parseIndices()
      return .scatter(value, address, indices: indices, mask: try parseMask())
    case "prefetch": return .prefetch(try parseAddress(), write: false)
    case "prefetch_write": return .prefetch(try parseAddress(), write: true)
    case "check":
      let condition = try use()
      try expectWord("else")
      return .check(condition, status: try integer())
    default: throw error("no statement is called '\(mnemonic)'")
    }
  }

  private mutating func parseBindings() throws(Diagnostic) -> (carried: [LoopValue], initial: [LoopValue]) {
    var names: [Int] = []
    var initial: [LoopValue] = []
    try expect("(")
    if try accept(")") { return ([], []) }
    repeat {
      names.append(try newName())
      try expect("=")
      initial.append(try use())
    } while try accept(",")
    try expect(")")
    var carried: [LoopValue] = []
    for (name, value) in zip(names, initial) { carried.append(try define(name, kernel[value])) }
    return (carried, initial)
  }

  private mutating func defineResults(_ names: [Int], _ like: [LoopValue]) throws(Diagnostic) -> [LoopValue] {
    guard names.count == like.count else { throw error("\(names.count) results of \(like.count) carried values") }
    var results: [LoopValue] = []
    for (name, value) in zip(names, like) { results.append(try define(name, kernel[value])) }
    return results
  }

  private mutating func parseFor(_ names: [Int]) throws(Diagnostic) -> Statement {
    let inductionName = try newName()
    try expect("=")
    let lower = try use()
    try expect("..<")
    let upper = try use()
    try expectWord("step")
    let step = try integer()
    let induction = try define(inductionName, .index)
    let (carried, initial) = try acceptWord("carry") ? try parseBindings() : ([], [])
    try expect("{")
    let (body, yields) = try parseBlock(yields: true)
    return .forLoop(
      ForLoop(
        induction: induction, lower: lower, upper: upper, step: step, initial: initial, carried: carried, body: body,
        yields: yields, results: try defineResults(names, initial)))
  }

  private mutating func parseWhile(_ names: [Int]) throws(Diagnostic) -> Statement {
    let (carried, initial) = try parseBindings()
    try expect("{")
    var conditionBody: [Statement] = []
    while try !acceptWord("condition") { conditionBody.append(try parseStatement()) }
    let condition = try use()
    try expect("}")
    try expectWord("do")
    try expect("{")
    let (body, yields) = try parseBlock(yields: true)
    return .whileLoop(
      WhileLoop(
        initial: initial, carried: carried, conditionBody: conditionBody, condition: condition, body: body,
        yields: yields, results: try defineResults(names, initial)))
  }

  private mutating func parseIf(_ names: [Int]) throws(Diagnostic) -> Statement {
    let condition = try use()
    try expect("{")
    let (thenBody, thenYields) = try parseBlock(yields: true)
    var elseBody: [Statement] = []
    var elseYields: [LoopValue] = []
    if try acceptWord("else") {
      try expect("{")
      (elseBody, elseYields) = try parseBlock(yields: true)
    }
    return .ifElse(
      IfElse(
        condition: condition, thenBody: thenBody, thenYields: thenYields, elseBody: elseBody, elseYields: elseYields,
        results: try defineResults(names, thenYields)))
  }
}
