import IR
import Support

/// The steps of an entry, one a line.
extension ProgramParser {
  /// Steps up to the closing brace, which is taken too.
  mutating func parseSteps() throws(Diagnostic) -> [Step] {
    try reader.enter()
    defer { reader.leave() }
    var steps: [Step] = []
    while try !reader.cursor.take(.closeBrace) {
      let start = reader.cursor.token.start
      let keyword = try reader.cursor.word("a step or '}'")
      note(\.steps, start)
      steps.append(try parseStep(keyword, at: start))
    }
    return steps
  }

  private mutating func parseStep(_ keyword: String, at start: Int) throws(Diagnostic) -> Step {
    switch keyword {
    case "dispatch": return .dispatch(try parseDispatch())
    case "call": return .call(try parseCall())
    case "bind": return try parseBind()
    case "let":
      let name = try symbolName()
      try reader.cursor.expect(.equals, "after the symbol")
      return .setSymbol(name: name, value: try reader.dim())
    case "require":
      let left = try reader.dim()
      try reader.cursor.expect(.equal, "between what must be equal")
      let right = try reader.dim()
      return .require(left, equals: right, site: try site())
    case "copy":
      let from = try buffer()
      try expect("to")
      let to = try buffer()
      try reader.cursor.expect(.comma, "after the buffers")
      return .copy(from: from, to: to, bytes: try byteCount())
    case "zero":
      let target = try buffer()
      try reader.cursor.expect(.comma, "after the buffer")
      return .fill(target, bytes: try byteCount())
    case "deliver": return try parseDeliver()
    case "store": return try parseStore()
    case "if": return try parseIf()
    case "loop": return try parseLoop()
    default:
      let steps = ["dispatch", "call", "bind", "let", "require", "copy", "zero", "deliver", "store", "if", "loop"]
      let hint = closest(to: keyword, among: steps).map { "did you mean \($0)?" } ?? steps.joined(separator: ", ")
      throw reader.cursor.error("there is no step \(keyword)", at: start, hint: hint)
    }
  }

  /// `@k_map_1f(read %1, write %2, 4 * n) parts n work 8 * n loc "Add"`
  private mutating func parseDispatch() throws(Diagnostic) -> Dispatch {
    let kernel = try reader.cursor.name(.reference, "the kernel's name with @").name
    let (uses, scalars) = try parseArguments()
    try expect("parts")
    let parallelism = try reader.dim()
    let work = try reader.cursor.take(word: "work") ? try reader.dim() : 0
    return Dispatch(
      kernel: kernel, buffers: uses, scalars: scalars, parallelism: parallelism, site: try site(), work: work)
  }

  /// `string_equal(read %1, read %2, write %3, n) loc "Equal"`
  private mutating func parseCall() throws(Diagnostic) -> RuntimeCall {
    let start = reader.cursor.token.start
    let name = try reader.cursor.word("a function of the runtime")
    guard let function = RuntimeFunction(rawValue: name) else {
      let known = RuntimeFunction.allCases.map(\.rawValue)
      let hint = closest(to: name, among: known).map { "did you mean \($0)?" } ?? known.joined(separator: ", ")
      throw reader.cursor.error("the runtime has no function \(name)", at: start, hint: hint)
    }
    let (uses, scalars) = try parseArguments()
    return RuntimeCall(function: function, buffers: uses, scalars: scalars, site: try site())
  }

  private mutating func parseArguments() throws(Diagnostic) -> (uses: [BufferUse], scalars: [Dim]) {
    var uses: [BufferUse] = []
    var scalars: [Dim] = []
    try reader.cursor.expect(.openParenthesis, "before the arguments")
    if try !reader.cursor.take(.closeParenthesis) {
      repeat {
        if let use = try parseUse() {
          guard scalars.isEmpty else { throw reader.cursor.error("buffers come before sizes") }
          uses.append(use)
        } else {
          scalars.append(try reader.dim())
        }
      } while try reader.cursor.take(.comma)
      try reader.cursor.expect(.closeParenthesis, "after the arguments")
    }
    return (uses, scalars)
  }

  /// An access and a buffer; nil for a size, which may be a symbol with the name of an access.
  private mutating func parseUse() throws(Diagnostic) -> BufferUse? {
    guard reader.cursor.token.kind == .word, let access = Access(rawValue: reader.cursor.text) else { return nil }
    var ahead = reader.cursor
    try ahead.advance()
    guard ahead.token.kind == .value else { return nil }
    reader.cursor = ahead
    return BufferUse(try buffer(), access)
  }

  /// `bind s = i64 %4 in 0...64 loc "NonZero"`
  private mutating func parseBind() throws(Diagnostic) -> Step {
    let name = try symbolName()
    try reader.cursor.expect(.equals, "after the symbol")
    try expect("i64")
    let buffer = try buffer()
    let range = try reader.cursor.take(word: "in") ? try closedRange() : Int.min...Int.max
    return .bindSymbol(name: name, buffer: buffer, range: range, site: try site())
  }

  /// `deliver %4 as output 0 [s, 4]`
  private mutating func parseDeliver() throws(Diagnostic) -> Step {
    let from = try buffer()
    try expect("as")
    try expect("output")
    let output = try size("the number of an output")
    var dims: [Dim] = []
    try reader.list(.openBracket, .closeBracket, "the extents") { reader throws(Diagnostic) in
      dims.append(try reader.dim())
    }
    return .deliver(output: output, from: from, dims: dims)
  }

  /// `store i64 2 * n to %3 + 8`, `store byte 1 to %3`
  private mutating func parseStore() throws(Diagnostic) -> Step {
    if try reader.cursor.take(word: "byte") {
      let start = reader.cursor.token.start
      let value = try reader.int("a byte")
      guard (0...255).contains(value) else { throw reader.cursor.error("\(value) is no byte", at: start) }
      try expect("to")
      return .storeByte(value, try buffer())
    }
    try expect("i64")
    let value = try reader.dim()
    try expect("to")
    let target = try buffer()
    try reader.cursor.expect(.plus, "before the offset")
    return .storeIndex(value, target, offset: try size("an offset"))
  }

  private mutating func parseIf() throws(Diagnostic) -> Step {
    let condition = try buffer()
    try reader.cursor.expect(.openBrace, "before the branch")
    let then = try parseSteps()
    try expect("else")
    try reader.cursor.expect(.openBrace, "before the branch")
    return .ifElse(condition: condition, then: then, else: try parseSteps())
  }

  /// `loop i while %3 up to %4 growing %5 by 8 * n bytes {`
  private mutating func parseLoop() throws(Diagnostic) -> Step {
    let counter = try symbolName()
    try expect("while")
    let condition = try buffer()
    var trip: BufferID?
    if try reader.cursor.take(word: "up") {
      try expect("to")
      trip = try buffer()
    }
    var growing: [GrowingList] = []
    if try reader.cursor.take(word: "growing") {
      repeat {
        let list = try buffer()
        try expect("by")
        growing.append(GrowingList(buffer: list, bytes: try byteCount()))
      } while try reader.cursor.take(.comma)
    }
    try reader.cursor.expect(.openBrace, "before the body")
    return .loop(counter: counter, trip: trip, condition: condition, growing: growing, body: try parseSteps())
  }
}
