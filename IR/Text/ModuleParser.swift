import Support

/// Reads `.mir`.
///
/// Ops are typed as they are read, from the facts of their operands; a type that is written differently is an error
/// at its place. A module that is returned passes the verifier.
public struct ModuleParser {
  var reader: Reader
  var module: Module
  private let weights: (any WeightSource)?
  private var names = DeclaredNames()
  private var context = InferenceContext()
  private var isContextStale = true

  /// What has been declared, for lookups that do not grow with the module.
  struct DeclaredNames {
    var states: Set<String> = []
    var functions: Set<String> = []
    var weights: Set<String> = []
  }

  public static func parse(
    _ text: String, file: String, weights: (any WeightSource)? = nil
  ) throws(Diagnostic) -> Module {
    try parse(bytes: Array(text.utf8), file: file, weights: weights)
  }

  public static func parse(
    bytes: [UInt8], file: String, weights: (any WeightSource)? = nil
  ) throws(Diagnostic) -> Module {
    var parser = ModuleParser(reader: Reader(try Cursor(bytes, file: file)), weights: weights)
    try parser.parseModule()
    return parser.module
  }

  private init(reader: Reader, weights: (any WeightSource)?) {
    self.reader = reader
    self.weights = weights
    module = Module(name: "")
  }

  private mutating func parseModule() throws(Diagnostic) {
    guard try reader.cursor.take(word: "module") else {
      throw reader.cursor.error("expected module @name {, found \(reader.cursor.shown)")
    }
    module.name = try reader.cursor.name(.reference, "the module's name with @").name
    try reader.cursor.expect(.openBrace, "after the module's name")
    while try !reader.cursor.take(.closeBrace) { try parseDeclaration() }
    guard reader.cursor.token.kind == .end else {
      throw reader.cursor.error("expected the end of the text, found \(reader.cursor.shown)")
    }
  }

  private static let keywords = ["symbol", "quantization", "weight", "state", "entry", "function"]

  private mutating func parseDeclaration() throws(Diagnostic) {
    let start = reader.cursor.token.start
    let keyword = try reader.cursor.word("a declaration or '}'")
    do throws(Diagnostic) {
      switch keyword {
      case "symbol": try parseSymbol()
      case "quantization": try parseQuantization()
      case "weight": try parseWeight()
      case "state": try parseState()
      case "entry", "function":
        try parseFunction(isEntry: keyword == "entry")
        return
      default:
        let meant = closest(to: keyword, among: ModuleParser.keywords).map { "did you mean \($0)?" }
        throw .invalid("a module has no \(keyword)", hint: meant ?? ModuleParser.keywords.joined(separator: ", "))
      }
    } catch {
      throw error.located(reader.cursor.location(start))
    }
    isContextStale = true
  }

  // MARK: Declarations

  private mutating func parseSymbol() throws(Diagnostic) {
    let name =
      reader.cursor.token.kind == .symbol
      ? try reader.cursor.quotedSymbol() : try reader.cursor.word("the name of a symbol")
    guard reader.symbols.insert(name).inserted else { throw .invalid("two symbols are called \(MIRName.symbol(name))") }
    guard try reader.cursor.take(word: "in") else {
      throw reader.cursor.error("expected the range of \(name), as in 'in 1...8', found \(reader.cursor.shown)")
    }
    let low = try reader.int("the least value of \(name)")
    try reader.cursor.expect(.dots, "in the range of \(name)")
    let high = try reader.int("the greatest value of \(name)")
    guard low <= high else { throw .invalid("the range \(low)...\(high) of \(name) is empty") }
    module.declare(symbol: name, in: low...high)
  }

  private mutating func parseQuantization() throws(Diagnostic) {
    let name = try reader.cursor.name(.parameters, "the name of quantization parameters with !").name
    guard reader.quantizations.insert(name).inserted else {
      throw .invalid("two quantization parameters are called !\(MIRName.sigiled(name))")
    }
    try reader.cursor.expect(.equals, "after !\(MIRName.sigiled(name))")
    var parameters = QuantizationParameters(scales: [], zeroPoints: [])
    try reader.list(.openBrace, .closeBrace, "the parameters") { reader throws(Diagnostic) in
      let start = reader.cursor.token.start
      let field = try reader.cursor.word("scales, zero_points or axis")
      try reader.cursor.expect(.equals, "after \(field)")
      switch field {
      case "scales":
        try reader.list(.openBracket, .closeBracket, field) { reader throws(Diagnostic) in
          parameters.scales.append(try reader.float("a scale"))
        }
      case "zero_points":
        try reader.list(.openBracket, .closeBracket, field) { reader throws(Diagnostic) in
          parameters.zeroPoints.append(try reader.int("a zero point"))
        }
      case "axis": parameters.axis = try reader.int("an axis")
      default: throw reader.cursor.error("expected scales, zero_points or axis, found \(field)", at: start)
      }
    }
    try Verifier.check(name, parameters)
    module.declare(quantization: name, parameters)
  }

  private mutating func parseWeight() throws(Diagnostic) {
    let name = try reader.cursor.name(.reference, "the name of a weight with @").name
    guard names.weights.insert(name).inserted else {
      throw .invalid("two weights are called @\(MIRName.sigiled(name))")
    }
    try reader.cursor.expect(.colon, "before the type of a weight")
    let type = try reader.tensorType()
    try reader.cursor.expect(.equals, "before the value of a weight")
    let tensor = try reader.cursor.take(word: "external") ? try external(name, type) : try reader.literal(type)
    let origin = try reader.cursor.take(word: "from") ? try reader.cursor.string("the origin of a weight") : nil
    module.add(Weight(name: name, tensor: tensor, origin: origin))
  }

  private func external(_ name: String, _ type: TensorType) throws(Diagnostic) -> Tensor {
    guard let weights else {
      throw .invalid("weight @\(MIRName.sigiled(name)) is external", hint: "give its weights file")
    }
    guard type.constantShape != nil else { throw .invalid("weight @\(MIRName.sigiled(name)) has no constant shape") }
    guard let tensor = try weights.weight(named: name, type: type) else {
      throw .invalid("the weights have no @\(MIRName.sigiled(name))")
    }
    guard tensor.type == type else {
      throw .invalid("weight @\(MIRName.sigiled(name)) is written as \(type), but stored as \(tensor.type)")
    }
    return tensor
  }

  private mutating func parseState() throws(Diagnostic) {
    let name = try reader.cursor.name(.reference, "the name of a state with @").name
    guard names.states.insert(name).inserted else { throw .invalid("two states are called @\(MIRName.sigiled(name))") }
    try reader.cursor.expect(.colon, "before the type of a state")
    let type = try reader.type()
    var initial: String?
    if try reader.cursor.take(.equals), try !reader.cursor.take(word: "zeros") {
      initial = try reader.cursor.name(.reference, "zeros or a weight's name with @").name
    }
    let state = StateDeclaration(name: name, type: type, initial: initial)
    try Verifier.check(state, in: module)
    module.add(state)
  }

  private mutating func parseFunction(isEntry: Bool) throws(Diagnostic) {
    let start = reader.cursor.token.start
    let name = try reader.cursor.name(.reference, "the name of a function with @").name
    guard names.functions.insert(name).inserted else {
      throw reader.cursor.error("two functions are called @\(MIRName.sigiled(name))", at: start)
    }
    if isContextStale { context = module.inferenceContext }
    isContextStale = false
    var parser = FunctionParser(reader, module, context, names, Function(name: name, isEntry: isEntry))
    try parser.parse()
    reader = parser.reader
    module.functions.append(parser.function)
  }
}
