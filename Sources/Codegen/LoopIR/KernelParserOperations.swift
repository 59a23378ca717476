import Support

/// The operations of loop IR, each as `KernelPrinter` writes it.
extension KernelParser {
  mutating func parseOperation(_ mnemonic: String) throws(Diagnostic) -> (LoopOperation, LoopType) {
    if let unary = UnaryOperation(rawValue: mnemonic) {
      let a = try use()
      return (.unary(unary, a), kernel[a])
    }
    if let binary = BinaryOperation(rawValue: mnemonic) {
      let (a, b) = try parsePair()
      return (.binary(binary, a, b), kernel[a])
    }
    if let comparison = Comparison(rawValue: mnemonic) {
      let (a, b) = try parsePair()
      return (.compare(comparison, a, b), kernel[a].with(.i1))
    }
    if let conversion = Conversion(rawValue: mnemonic) {
      let a = try use()
      try expectWord("to")
      return (.convert(conversion, a), try parseType())
    }
    switch mnemonic {
    case "const": return try parseConstant()
    case "scalar":
      let name = try word("a scalar's name")
      guard let number = kernel.scalars.firstIndex(where: { $0.name == name }) else {
        throw error("no scalar is called '\(name)'")
      }
      return (.scalar(number), .index)
    case "thread": return (.thread, .index)
    case "threads": return (.threads, .index)
    case "select":
      let (condition, a, b) = try parseTriple()
      return (.select(condition, a, b), kernel[a])
    case "fma":
      let (a, b, c) = try parseTriple()
      return (.fma(a, b, c), kernel[c])
    case "dot4":
      let (accumulator, unsigned, signed) = try parseTriple()
      return (.dot4(accumulator: accumulator, unsigned: unsigned, signed: signed), kernel[accumulator])
    case "load":
      let type = try parseType()
      let address = try parseAddress()
      let mask = try parseMask()
      return (.load(address, mask: mask, alignment: try parseAlignment(address)), type)
    case "gather":
      let type = try parseType()
      let address = try parseAddress()
      let indices = try parseIndices()
      return (.gather(address, indices: indices, mask: try parseMask()), type)
    default: return try parseLaneOperation(mnemonic)
    }
  }

  private mutating func parseLaneOperation(_ mnemonic: String) throws(Diagnostic) -> (LoopOperation, LoopType) {
    switch mnemonic {
    case "splat":
      let type = try parseType()
      return (.splat(try use()), type)
    case "iota": return (.iota, try parseType())
    case "extract":
      let a = try use()
      let lane = try parseLane()
      return (.extract(a, lane: lane), kernel[a].with(lanes: 1))
    case "insert":
      let a = try use()
      let lane = try parseLane()
      try expect(",")
      return (.insert(a, try use(), lane: lane), kernel[a])
    case "shuffle":
      let (a, b) = try parsePair()
      try expect("[")
      var lanes = [try integer()]
      while try accept(",") {
        lanes.append(try integer())
        if lanes.count > KernelVerifier.maximumLanes { throw error("more lanes than a vector may have") }
      }
      try expect("]")
      return (.shuffle(a, b, lanes: lanes), kernel[a].with(lanes: lanes.count))
    case "reduce":
      let name = try word("what to reduce by")
      guard let binary = BinaryOperation(rawValue: name) else { throw error("no operation is called '\(name)'") }
      let a = try use()
      return (.reduce(binary, a), kernel[a].with(lanes: 1))
    default: throw error("no operation is called '\(mnemonic)'")
    }
  }

  private mutating func parseConstant() throws(Diagnostic) -> (LoopOperation, LoopType) {
    let type = try parseType()
    guard type.scalar.isFloat else { return (.integer(try integer()), type) }
    if try acceptWord("inf") { return (.float(.infinity), type) }
    if try acceptWord("nan") {
      try expect("(")
      guard case .number(let text) = token, text.hasPrefix("0x"), let bits = UInt64(text.dropFirst(2), radix: 16)
      else { throw error("expected the bits of NaN") }
      try advance()
      try expect(")")
      return (.float(Double(bitPattern: bits)), type)
    }
    guard case .number(let text) = token, let value = Double(text) else { throw error("expected a number") }
    try advance()
    return (.float(value), type)
  }

  private mutating func parsePair() throws(Diagnostic) -> (LoopValue, LoopValue) {
    let a = try use()
    try expect(",")
    return (a, try use())
  }

  private mutating func parseTriple() throws(Diagnostic) -> (LoopValue, LoopValue, LoopValue) {
    let (a, b) = try parsePair()
    try expect(",")
    return (a, b, try use())
  }

  private mutating func parseLane() throws(Diagnostic) -> Int {
    try expect("[")
    let lane = try integer()
    try expect("]")
    return lane
  }

  // MARK: Memory

  /// `x[%3 + 64]`, `x[%3]`, `x[64]`.
  mutating func parseAddress() throws(Diagnostic) -> Address {
    let name = try word("a buffer")
    guard let buffer = kernel.buffer(named: name) else { throw error("no buffer is called '\(name)'") }
    try expect("[")
    var address = Address(buffer)
    if case .value = token {
      address.index = try use()
      if try accept("+") {
        address.offset = try integer()
      } else if try accept("-") {
        let offset = try integer()
        if offset == Int.min { throw error("the offset overflows") }
        address.offset = -offset
      }
    } else {
      address.offset = try integer()
    }
    try expect("]")
    return address
  }

  mutating func parseIndices() throws(Diagnostic) -> LoopValue {
    try expect("[")
    let indices = try use()
    try expect("]")
    return indices
  }

  mutating func parseMask() throws(Diagnostic) -> LoopValue? { try acceptWord("mask") ? try use() : nil }

  mutating func parseAlignment(_ address: Address) throws(Diagnostic) -> Int {
    try acceptWord("align") ? try integer() : kernel.scalar(of: address.buffer)?.bytes ?? 1
  }
}
