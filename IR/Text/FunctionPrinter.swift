import Support

/// Writes one function: labels its values and prints its ops.
struct FunctionPrinter {
  private let function: Function
  private(set) var lines: [String] = []
  private var labels: [ValueID: String] = [:]
  /// Names in scope; a name that is taken gives way to a number.
  private var taken: Set<String> = []
  private var count = 0

  init(_ function: Function) { self.function = function }

  mutating func printFunction() {
    let body = function[function.body]
    let arguments = declare(body.arguments)
    let results = body.yields.enumerated().map { number, value in
      let name = number < function.resultNames.count ? function.resultNames[number] : ""
      let type = function.type(value).description
      return name.isEmpty ? type : "%\(MIRName.sigiled(name)): \(type)"
    }
    let keyword = function.isEntry ? "entry" : "function"
    let signature = "(\(arguments)) -> (\(results.joined(separator: ", ")))"
    lines.append("  \(keyword) @\(MIRName.sigiled(function.name))\(signature) {")
    print(function.body, ending: "return", indent: 4)
    lines.append("  }")
  }

  /// Labels arguments and writes them with their types.
  private mutating func declare(_ arguments: [ValueID]) -> String {
    var items: [String] = []
    for argument in arguments { items.append("\(label(new: argument)): \(function.type(argument))") }
    return items.joined(separator: ", ")
  }

  private mutating func print(_ block: BlockID, ending: String, indent: Int) {
    let margin = String(repeating: " ", count: indent)
    for id in function.ops(in: block) { print(id, margin, indent) }
    let yields = function[block].yields.map { label($0) }.joined(separator: ", ")
    lines.append(margin + (yields.isEmpty ? ending : "\(ending) \(yields)"))
  }

  private mutating func print(_ id: OpID, _ margin: String, _ indent: Int) {
    let operation = function[id]
    var line = margin
    if !operation.results.isEmpty {
      var results: [String] = []
      for result in operation.results { results.append(label(new: result)) }
      line += results.joined(separator: ", ") + " = "
    }
    line += operation.kind.mnemonic
    if !operation.operands.isEmpty {
      line += " " + operation.operands.map { $0.map { label($0) } ?? "_" }.joined(separator: ", ")
    }
    line += operation.kind.attributeText
    let names = operation.kind.regionNames
    for (number, region) in operation.regions.enumerated() {
      let outer = taken
      let arguments = declare(function[region].arguments)
      let name = number < names.count ? names[number] : "region"
      lines.append(line + " \(name)" + (arguments.isEmpty ? " {" : " (\(arguments)) {"))
      print(region, ending: "yield", indent: indent + 2)
      line = margin + "}"
      taken = outer
    }
    if !operation.results.isEmpty {
      line += " : " + operation.results.map { function.type($0).description }.joined(separator: ", ")
    }
    if !operation.guards.isEmpty {
      line += " guard (" + operation.guards.map { "\($0.left) == \($0.right)" }.joined(separator: ", ") + ")"
    }
    if !operation.locations.isEmpty {
      line += " loc " + operation.locations.map(MIRName.quoted).joined(separator: ", ")
    }
    lines.append(line)
  }

  private mutating func label(new value: ValueID) -> String {
    let text: String
    if let name = function[value].name, taken.insert(name).inserted {
      text = "%" + MIRName.sigiled(name)
    } else {
      text = "%\(count)"
      count += 1
    }
    labels[value] = text
    return text
  }

  private func label(_ value: ValueID) -> String {
    if let weight = function.weightName(value) { return "@" + MIRName.sigiled(weight) }
    return labels[value] ?? "%<undefined \(value.number)>"
  }
}
