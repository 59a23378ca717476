import CommandLineKit
import Formats
import IR
import Support

/// Where the inputs of a run come from, as the command line says.
struct InputSources {
  /// Files by input.
  var files: [String: String] = [:]
  /// Shapes by input or by entry and input, from --shape.
  var shapes: [String: [Int]] = [:]
  /// Makes up what is not given; nil makes that an error.
  var seed: UInt64?

  init() {}

  init(_ arguments: Arguments, seed: UInt64?) throws(Diagnostic) {
    self.seed = seed
    for text in arguments[RunKeys.input] {
      guard let equals = text.lastIndex(of: "="), equals != text.startIndex, text.last != "=" else {
        throw .usage("--input \(text) names no file", hint: "write it as NAME=FILE.npy")
      }
      let name = String(text[..<equals])
      guard files.updateValue(String(text[text.index(after: equals)...]), forKey: name) == nil else {
        throw .usage("--input \(name) is given twice")
      }
    }
    for text in arguments[CompileKeys.shape] {
      let (name, shape) = try CompileOptions.shape(text)
      shapes[name] = shape
    }
  }

  /// The shapes that files and --shape tell, for compiling. Files are those of one entry, if it is named.
  func knownShapes(entry: String?) throws(Diagnostic) -> [String: [Int]] {
    var result = shapes
    for (name, path) in files.sorted(by: { $0.key < $1.key }) where InputSources.words[path] == nil {
      let dims = try NumPyArray.read(path: path).dims
      let key = InputSources.key(name, of: entry)
      if let given = shapes[key] ?? shapes[name], given != dims {
        throw .usage("--shape \(name) is \(given), but \(path) holds \(dims)")
      }
      result[key] = dims
    }
    return result
  }

  /// What the shape of a file for an input is called.
  static func key(_ input: String, of entry: String?) -> String { entry.map { "\($0)/\(input)" } ?? input }

  /// What stands in place of a file: a value that is absent, and a list of nothing.
  private static let words: [String: Value] = ["none": .optional(nil), "empty": .sequence([])]

  /// The word for a value that has no file.
  static func word(for value: Value) -> String? {
    switch value {
    case .optional(nil): "none"
    case .sequence([]), .optional(.sequence([])): "empty"
    default: nil
    }
  }

  /// The inputs of one of the entries, in order, all of which must be tensors.
  func makeTensors(for number: Int, of entries: [EntrySignature]) throws(Diagnostic) -> [Tensor] {
    for port in entries[number].inputs { _ = try port.requireTensor("input") }
    return try make(for: number, of: entries).compactMap(\.tensor)
  }

  /// A sequence or optional value, whose members have files of their own.
  private func makeList(_ port: PortSignature) throws(Diagnostic) -> Value {
    try InputSources.list(port) { name throws(Diagnostic) in
      guard let path = files[name] else { return nil }
      if let value = InputSources.words[path] { return value }
      return .tensor(try TensorFiles.read(path, as: try port.innermost()))
    }
  }

  /// A sequence or optional value of the tensors that `part` has under its name, or under that with the numbers of
  /// members.
  static func list(
    _ port: PortSignature, _ part: (String) throws(Diagnostic) -> Value?
  ) throws(Diagnostic) -> Value {
    var members: [Value] = []
    while let member = try part("\(port.name).\(members.count)") { members.append(member) }
    let whole = try part(port.name)
    let holdsList = port.list?.member?.member != nil
    switch (port.isOptional, whole) {
    case (true, .optional?): return .optional(nil)
    case (true, let whole?): return .optional(whole)
    case (true, nil) where holdsList && !members.isEmpty: return .optional(.sequence(members))
    case (false, .sequence?): return .sequence([])
    case (false, nil) where !members.isEmpty: return .sequence(members)
    default:
      let name = port.name
      throw .usage(
        "input \(name) is missing",
        hint: port.isOptional && !holdsList
          ? "give --input \(name)=FILE.npy or --input \(name)=none"
          : "give --input \(name).0=FILE.npy and so on, or --input \(name)=\(port.isOptional ? "none" : "empty")")
    }
  }

  /// The input that a file is for: its own, or that of the list it is a member of.
  private static func owner(_ name: String, _ entry: EntrySignature) -> PortSignature? {
    if let port = entry.input(name) { return port }
    return InputShapes.list(ofMember: name).flatMap { entry.input($0) }.flatMap { $0.list == nil ? nil : $0 }
  }

  /// The inputs of one of the entries, in order.
  func make(for number: Int, of entries: [EntrySignature]) throws(Diagnostic) -> [Value] {
    let entry = entries[number]
    for name in files.keys.sorted() where InputSources.owner(name, entry) == nil {
      throw .usage(
        "entry \(entry.name) has no input \(name)", hint: choiceHint(for: name, among: entry.inputs.map(\.name)))
    }
    let given = InputShapes(shapes, entries: entries.map { ($0.name, $0.inputs.map(\.name)) })
    try given.requireInputs()
    var symbols: [String: Int] = [:]
    for symbol in entry.symbols where symbol.range.count == 1 { symbols[symbol.name] = symbol.range.lowerBound }
    var tensors: [String: Tensor] = [:]
    for port in entry.inputs where port.list == nil {
      let element = try port.requireTensor("input")
      if let path = files[port.name] {
        let tensor = try TensorFiles.read(path, as: element)
        guard tensor.shape.count == port.dims.count else {
          throw .invalid(
            "input \(port.name) is \(port.typeText), but the file holds shape \(tensor.shape)",
            at: Location(file: path))
        }
        tensors[port.name] = tensor
        InputSources.learn(port, tensor.shape, &symbols)
      } else if let shape = given.shape(of: port.name, of: entry.name) {
        guard shape.count == port.dims.count else {
          throw .usage("--shape \(port.name): the input is \(port.typeText)")
        }
        InputSources.learn(port, shape, &symbols)
      } else if seed == nil {
        throw .usage(
          "input \(port.name) is missing", hint: "give --input \(port.name)=FILE.npy, or --random SEED")
      }
    }
    var result: [Value] = []
    for (number, port) in entry.inputs.enumerated() {
      if port.list != nil {
        result.append(try makeList(port))
        continue
      }
      if let tensor = tensors[port.name] {
        result.append(.tensor(tensor))
        continue
      }
      guard let seed else {
        throw .usage("input \(port.name) has a shape but no elements", hint: "--random SEED makes them up")
      }
      let shape = try InputSources.shape(of: port, given.shape(of: port.name, of: entry.name), symbols)
      let element = try port.requireTensor("input")
      try checkAllocatable(shape, port, element)
      guard element.storage != .string else {
        throw .unsupported("input \(port.name): texts are not made up", hint: "give --input \(port.name)=FILE.npy")
      }
      let made = try RandomTensor(seed: seed, input: number).make(element, shape: shape, accepts: port.accepts)
      result.append(.tensor(made))
    }
    return result
  }

  private static func learn(_ port: PortSignature, _ shape: [Int], _ symbols: inout [String: Int]) {
    for (dim, extent) in zip(port.dims, shape) {
      if case .symbol(let name) = dim, symbols[name] == nil { symbols[name] = extent }
    }
  }

  private static func shape(of port: PortSignature, _ given: [Int]?, _ symbols: [String: Int])
    throws(Diagnostic) -> [Int]
  {
    if let given { return given }
    var shape: [Int] = []
    for (axis, dim) in port.dims.enumerated() {
      guard let extent = dim.value(symbols) else {
        throw .usage(
          "input \(port.name): dimension \(axis) (\(dim.text)) is open", hint: "give --shape \(port.name)=...")
      }
      shape.append(extent)
    }
    return shape
  }

  /// Memory for a made-up input is bounded before it is asked for.
  private func checkAllocatable(_ shape: [Int], _ port: PortSignature, _ element: TensorElement) throws(Diagnostic) {
    let type = TensorType(element, shape.map { Dim($0) })
    guard shape.allSatisfy({ $0 >= 0 }), let bytes = type.constantBytes, bytes <= 1 << 36 else {
      throw .usage("input \(port.name): the shape \(shape) is too large to make up")
    }
  }
}
