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
    for (name, path) in files.sorted(by: { $0.key < $1.key }) {
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

  /// The inputs of one of the entries, in order.
  func make(for number: Int, of entries: [EntrySignature]) throws(Diagnostic) -> [Tensor] {
    let entry = entries[number]
    for name in files.keys.sorted() where entry.input(name) == nil {
      throw .usage(
        "entry \(entry.name) has no input \(name)", hint: choiceHint(for: name, among: entry.inputs.map(\.name)))
    }
    let given = InputShapes(shapes, entries: entries.map { ($0.name, $0.inputs.map(\.name)) })
    try given.requireInputs()
    var symbols: [String: Int] = [:]
    for symbol in entry.symbols where symbol.range.count == 1 { symbols[symbol.name] = symbol.range.lowerBound }
    var tensors: [String: Tensor] = [:]
    for port in entry.inputs {
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
    var result: [Tensor] = []
    for (number, port) in entry.inputs.enumerated() {
      if let tensor = tensors[port.name] {
        result.append(tensor)
        continue
      }
      guard let seed else {
        throw .usage("input \(port.name) has a shape but no elements", hint: "--random SEED makes them up")
      }
      let shape = try InputSources.shape(of: port, given.shape(of: port.name, of: entry.name), symbols)
      let element = try port.requireTensor("input")
      try checkAllocatable(shape, port, element)
      result.append(try RandomTensor(seed: seed, input: number).make(element, shape: shape, accepts: port.accepts))
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
