import IR
import Support

/// Reads a scheduled program and its kernels, as `Program.text` writes them.
///
/// The text may come from anywhere: what is returned has passed `ProgramVerifier`. The bytes of weights are no part of
/// it; a `WeightSource` has them.
public struct ProgramParser {
  /// The bytes of a weight by its name and size; called for every weight, and fails for those it does not have.
  public typealias WeightSource = (String, Int) throws(Diagnostic) -> ByteView

  public struct Result: Sendable {
    public var program: Program
    public var origin: ProgramOrigin?
  }

  var reader: Reader
  var places = ProgramPlaces()
  var entry = ProgramEntry()
  private let weights: WeightSource

  public static func parse(
    _ bytes: [UInt8], file: String, weights: @escaping WeightSource
  ) throws(Diagnostic) -> Result {
    var parser = ProgramParser(
      reader: Reader(try Cursor(bytes, file: file), takesAnyName: true), weights: weights)
    let origin = try parser.parseOrigin()
    var program = try parser.parseProgram()
    // Kernels have a grammar of their own.
    let start = parser.reader.cursor.token.start
    let line = parser.reader.cursor.location(start).line ?? 1
    var kernels = try KernelParser(KernelLexer(bytes, from: start, line: line, file: file))
    while !kernels.atEnd {
      parser.places.kernels.append(kernels.offset)
      program.kernels.append(try kernels.parseKernel())
    }
    let cursor = parser.reader.cursor
    try ProgramVerifier(program, places: parser.places) { cursor.location($0) }.verify()
    return Result(program: program, origin: origin)
  }

  private init(reader: Reader, weights: @escaping WeightSource) {
    self.reader = reader
    self.weights = weights
  }

  // MARK: The program

  private mutating func parseOrigin() throws(Diagnostic) -> ProgramOrigin? {
    guard try reader.cursor.take(word: "target") else { return nil }
    let target = try reader.cursor.string("the target")
    try expect("options")
    let options = try reader.cursor.string("the compile options")
    try expect("source")
    return ProgramOrigin(target: target, options: options, sourceHash: try reader.cursor.string("the source's hash"))
  }

  private mutating func parseProgram() throws(Diagnostic) -> Program {
    places.start = reader.cursor.token.start
    try expect("program")
    var program = Program(name: try reader.cursor.name(.reference, "the program's name with @").name)
    try expect("weights")
    program.weightBytes = try size("the size of the weights")
    try expect("state")
    program.stateBytes = try size("the size of the states")
    try reader.cursor.expect(.openBrace, "before the program")
    while try !reader.cursor.take(.closeBrace) {
      let start = reader.cursor.token.start
      let keyword = try reader.cursor.word("weight, state, entry or '}'")
      switch keyword {
      case "weight":
        program.weights.append(try parseWeight(at: start))
        places.weights.append(start)
      case "state":
        program.states.append(try parseState())
        places.states.append(start)
      case "entry":
        try parseEntry(at: start)
        program.entries.append(entry)
      default: throw reader.cursor.error("a program has no \(keyword)", at: start, hint: "weight, state or entry")
      }
    }
    return program
  }

  /// `at 64, 576 bytes`
  private mutating func parseRange() throws(Diagnostic) -> (offset: Int, bytes: Int) {
    try expect("at")
    let offset = try size("an offset")
    try reader.cursor.expect(.comma, "after the offset")
    let bytes = try size("a size")
    try expect("bytes")
    return (offset, bytes)
  }

  private mutating func parseWeight(at start: Int) throws(Diagnostic) -> PlacedWeight {
    let name = try reader.cursor.name(.reference, "the weight's name with @").name
    let (offset, bytes) = try parseRange()
    let content: ByteView
    do throws(Diagnostic) {
      content = try weights(name, bytes)
      guard content.count == bytes else {
        throw .invalid("weight @\(MIRName.sigiled(name)) has \(content.count) bytes, not \(bytes)")
      }
    } catch { throw error.located(reader.cursor.location(start)) }
    return PlacedWeight(name: name, offset: offset, bytes: bytes) { content }
  }

  private mutating func parseState() throws(Diagnostic) -> PlacedState {
    let name = try reader.cursor.name(.reference, "the state's name with @").name
    let (offset, bytes) = try parseRange()
    var initial: String?
    if try reader.cursor.take(.equals) {
      initial = try reader.cursor.name(.reference, "the weight it starts as").name
    }
    return PlacedState(name: name, offset: offset, bytes: bytes, initial: initial)
  }

  // MARK: Pieces

  mutating func expect(_ word: String) throws(Diagnostic) {
    guard try reader.cursor.take(word: word) else {
      throw reader.cursor.error("expected '\(word)', found \(reader.cursor.shown)")
    }
  }

  /// A number of bytes, or an offset or a count: far from where sums overflow.
  mutating func size(_ what: String) throws(Diagnostic) -> Int {
    let start = reader.cursor.token.start
    let value = try reader.int(what)
    guard (0...ProgramVerifier.sizeLimit).contains(value) else {
      throw reader.cursor.error("\(value) cannot be \(what)", at: start)
    }
    return value
  }

  mutating func buffer() throws(Diagnostic) -> BufferID {
    let start = reader.cursor.token.start
    let (name, isNumber) = try reader.cursor.name(.value, "a buffer")
    guard isNumber, let number = Int(name), number < ProgramVerifier.countLimit else {
      throw reader.cursor.error("buffers are numbers, as in %0", at: start)
    }
    return BufferID(number)
  }

  mutating func symbolName() throws(Diagnostic) -> String {
    if reader.cursor.token.kind == .symbol { return try reader.cursor.quotedSymbol() }
    return try reader.cursor.word("the name of a symbol")
  }

  /// `1...64`
  mutating func range() throws(Diagnostic) -> (low: Int, high: Int) {
    let low = try reader.int("the least value")
    try reader.cursor.expect(.dots, "in the range")
    return (low, try reader.int("the greatest value"))
  }

  mutating func closedRange() throws(Diagnostic) -> ClosedRange<Int> {
    let start = reader.cursor.token.start
    let (low, high) = try range()
    guard low <= high else { throw reader.cursor.error("the range \(low)...\(high) is empty", at: start) }
    return low...high
  }

  mutating func site() throws(Diagnostic) -> String {
    try expect("loc")
    return try reader.cursor.string("the place in the model")
  }

  /// `40 * n bytes`
  mutating func byteCount() throws(Diagnostic) -> Dim {
    let bytes = try reader.dim()
    try expect("bytes")
    return bytes
  }
}
