import Support

/// What an op file says about its op: the comment above the struct, and the example in it.
public struct OpDocumentation: Sendable {
  /// The name of the struct that the comment describes.
  public let kind: String
  /// The paragraphs before and after the example.
  public let text: String
  /// The indented lines: `symbol`, `quantization`, `weight` and `state` declarations, `%x: type` for each free
  /// operand, then ops. The symbols `n`, `s` and `t` are there already. Empty when there is none.
  public let example: [String]

  /// The documented op kinds of a Swift source.
  public static func find(in source: String) -> [OpDocumentation] {
    var found: [OpDocumentation] = []
    var comment: [Substring] = []
    for line in source.split(separator: "\n", omittingEmptySubsequences: false) {
      if line.hasPrefix("///") {
        comment.append(line.dropFirst(line.hasPrefix("/// ") ? 4 : 3))
        continue
      }
      if line.contains("struct "), line.contains(": OpKind") {
        let name = line.split(separator: " ").drop { $0 != "struct" }.dropFirst().first ?? ""
        let isExample = { (line: Substring) in line.hasPrefix("    ") }
        found.append(
          OpDocumentation(
            kind: String(name.prefix { $0 != ":" }),
            text: comment.filter { !isExample($0) }.joined(separator: "\n"),
            example: comment.filter(isExample).map { String($0.dropFirst(4)) }))
      }
      comment = []
    }
    return found
  }

  /// The example as a module that can be parsed: free operands become arguments of its one function.
  public var module: String {
    var declarations: [String] = []
    var arguments: [String] = []
    var ops: [String] = []
    for line in example {
      let word = line.prefix { $0 != " " }
      if ["symbol", "quantization", "weight", "state"].contains(word) {
        declarations.append("  " + line)
      } else if line.hasPrefix("%"), word.hasSuffix(":") {
        arguments.append(line)
      } else {
        ops.append("    " + line)
      }
    }
    let symbols = ["n", "s", "t"].map { "  symbol \($0) in 0...4096" }
    let head = ["module @example {"] + symbols + declarations
    return
      (head + ["  function @example(\(arguments.joined(separator: ", "))) -> () {"] + ops + ["    return", "  }", "}"])
      .joined(separator: "\n")
  }
}

/// Every op with its operands, regions and attributes, as Markdown.
///
/// Signatures come from the ops themselves; `documentation` adds what the op files say, which a built command does not
/// carry.
public func opsReference(_ documentation: [OpDocumentation] = []) -> String {
  let byKind = Dictionary(documentation.map { ($0.kind, $0) }, uniquingKeysWith: { a, _ in a })
  var lines = ["# Ops", "", "Generated from the op files: change those, then run the IR tests with `MARTLET_BLESS=1`."]
  for (family, kinds) in OpRegistry.families where !kinds.isEmpty {
    lines += ["", "## \(family)"]
    for kind in kinds { lines += describe(kind, byKind["\(kind)"]) }
  }
  return lines.joined(separator: "\n") + "\n"
}

private func describe(_ kind: any OpKind.Type, _ documentation: OpDocumentation?) -> [String] {
  var lines = ["", "### " + kind.mnemonics.map { "`\($0)`" }.joined(separator: " "), ""]
  if let text = documentation?.text.trimmedLines, !text.isEmpty { lines += [text, ""] }
  let example = kind.init(mnemonic: kind.mnemonics[0])
  if !example.signature.isEmpty {
    lines.append("- operands: " + example.signature.map(describe).joined(separator: ", "))
  }
  if !example.regionNames.isEmpty { lines.append("- regions: " + example.regionNames.joined(separator: ", ")) }
  let attributes = example.attributeList.map { "`\($0.name) = \($0.value)`" }
  if !attributes.isEmpty { lines.append("- attributes: " + attributes.joined(separator: ", ")) }
  if let example = documentation?.example, !example.isEmpty { lines += ["", "```"] + example + ["```"] }
  return lines
}

private func describe(_ operand: OperandSpec) -> String {
  switch operand.multiplicity {
  case .one: "`\(operand.name)`: \(operand.elements.rawValue)"
  case .optional: "`\(operand.name)`: \(operand.elements.rawValue), optional"
  case .many: "`\(operand.name)...`: \(operand.elements.rawValue)"
  }
}

extension String {
  /// Without empty lines at the ends, and with one where several were.
  fileprivate var trimmedLines: String {
    var result: [Substring] = []
    for line in split(separator: "\n", omittingEmptySubsequences: false)
    where !line.isEmpty || result.last?.isEmpty == false {
      result.append(line)
    }
    if result.last?.isEmpty == true { result.removeLast() }
    return result.joined(separator: "\n")
  }
}
