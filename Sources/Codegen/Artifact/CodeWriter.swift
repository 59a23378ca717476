/// Lines of C with indentation.
struct CodeWriter {
  private(set) var text = ""
  private var depth = 0

  /// Text that is laid out already.
  mutating func append(_ block: String) { text += block }

  mutating func line(_ content: String = "") {
    if content.hasPrefix("#") || content.hasPrefix("extern \"C\"") || content == "}  // extern \"C\"" {
      text += content + "\n"
      return
    }
    if content.hasPrefix("}") { depth -= 1 }
    if !content.isEmpty { text += String(repeating: "  ", count: depth) + content }
    text += "\n"
    if content.hasSuffix("{") { depth += 1 }
  }
}

/// Names and strings of a model as C sees them.
public enum CSyntax {
  /// A string literal; bytes outside of printable ASCII are escaped, so that any name of a model is safe.
  static func quoted(_ text: String) -> String {
    var result = "\""
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "\""): result += "\\\""
      case UInt8(ascii: "\\"): result += "\\\\"
      case 0x20..<0x7f where byte != UInt8(ascii: "?"): result += String(UnicodeScalar(byte))
      default:
        let digits = String(byte, radix: 8)
        result += "\\" + String(repeating: "0", count: 3 - digits.count) + digits
      }
    }
    return result + "\""
  }

  /// An identifier made of `name`: what C does not allow becomes an underscore.
  public static func identifier(_ name: String) -> String {
    var result = ""
    for scalar in name.unicodeScalars {
      let isPlain = scalar.isASCII && (scalar.properties.isAlphabetic || ("0"..."9").contains(scalar))
      result.unicodeScalars.append(isPlain ? scalar : "_")
    }
    if result.isEmpty || result.first!.isNumber { result = "_" + result }
    return keywords.contains(result) ? result + "_" : result
  }

  /// Identifiers for all `names`, made distinct by a number where two would be alike.
  static func identifiers(_ names: [String], taken: Set<String> = []) -> [String] {
    var used = taken
    return names.map { name in
      let base = identifier(name)
      var candidate = base
      var number = 1
      while !used.insert(candidate).inserted {
        candidate = "\(base)_\(number)"
        number += 1
      }
      return candidate
    }
  }

  private static let keywords: Set<String> = Set(
    """
    alignas alignof asm auto bool break case catch char class const constexpr continue decltype default delete do \
    double else enum explicit export extern false float for friend goto if inline int long mutable namespace new \
    noexcept nullptr operator private protected public register restrict return short signed sizeof static struct \
    switch template this throw true try typedef typeid typename union unsigned using virtual void volatile while
    """.split(separator: " ").map(String.init))
}
