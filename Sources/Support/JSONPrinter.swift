extension JSON: CustomStringConvertible {
  /// The value on one line.
  public var description: String {
    var text = ""
    print(into: &text, indent: nil)
    return text
  }

  /// The value on several lines, two spaces a level; short arrays of plain values stay on one.
  public var pretty: String {
    var text = ""
    print(into: &text, indent: 0)
    return text
  }

  private var isPlain: Bool {
    switch self {
    case .array(let values): values.isEmpty
    case .object(let members): members.isEmpty
    default: true
    }
  }

  private func print(into text: inout String, indent: Int?) {
    switch self {
    case .null: text += "null"
    case .bool(let value): text += value ? "true" : "false"
    case .int(let value): text += "\(value)"
    // The language has no infinity and no NaN.
    case .number(let value): text += value.isFinite ? "\(value)" : "null"
    case .string(let value): JSON.quote(value, into: &text)
    case .array(let values):
      let indent = values.allSatisfy(\.isPlain) && values.count <= 16 ? nil : indent
      JSON.list("[", "]", values.count, &text, indent) { index, text, inner in
        values[index].print(into: &text, indent: inner)
      }
    case .object(let members):
      JSON.list("{", "}", members.count, &text, indent) { index, text, inner in
        JSON.quote(members[index].key, into: &text)
        text += ": "
        members[index].value.print(into: &text, indent: inner)
      }
    }
  }

  private static func list(
    _ open: String, _ close: String, _ count: Int, _ text: inout String, _ indent: Int?,
    _ item: (Int, inout String, Int?) -> Void
  ) {
    text += open
    for index in 0..<count {
      if index > 0 { text += indent == nil ? ", " : "," }
      if let indent { text += "\n" + String(repeating: "  ", count: indent + 1) }
      item(index, &text, indent.map { $0 + 1 })
    }
    if let indent, count > 0 { text += "\n" + String(repeating: "  ", count: indent) }
    text += close
  }

  private static func quote(_ value: String, into text: inout String) {
    text += "\""
    for scalar in value.unicodeScalars {
      switch scalar {
      case "\"": text += "\\\""
      case "\\": text += "\\\\"
      case "\n": text += "\\n"
      case "\r": text += "\\r"
      case "\t": text += "\\t"
      default:
        if scalar.value < 0x20 {
          let digits = String(scalar.value, radix: 16)
          text += "\\u" + String(repeating: "0", count: 4 - digits.utf8.count) + digits
        } else {
          text.unicodeScalars.append(scalar)
        }
      }
    }
    text += "\""
  }
}
