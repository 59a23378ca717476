import IR
import Support

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

  /// A type as the interface calls it, behind `MARTLET_`.
  static func typeName(_ type: ElementType) -> String { type == .string ? "STRING" : type.rawValue.uppercased() }

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

  /// The prefix of an artifact's symbols. The runtime's own names begin with `martlet`, so no artifact's may.
  public static func artifactName(_ name: String) -> String {
    let result = identifier(name)
    return result.lowercased().hasPrefix("martlet") ? "model_" + result : result
  }

  /// Text fit to stand in a comment: one line, nothing that ends the comment or that compilers warn of.
  static func comment(_ text: String) -> String {
    var result = ""
    var previous: Unicode.Scalar = " "
    for scalar in text.unicodeScalars {
      let isPlain = scalar.isASCII ? (0x20..<0x7f).contains(scalar.value) : scalar.properties.isAlphabetic
      let marksEdge = (previous == "*" && scalar == "/") || (previous == "/" && scalar == "*")
      result.unicodeScalars.append(marksEdge ? "_" : isPlain ? scalar : "?")
      previous = scalar
    }
    return result
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
    alignas alignof and and_eq asm auto bitand bitor bool break case catch char char16_t char32_t char8_t class \
    co_await co_return co_yield compl concept const const_cast consteval constexpr constinit continue decltype \
    default delete do double dynamic_cast else enum explicit export extern false float for friend goto if inline int \
    long mutable namespace new noexcept not not_eq nullptr operator or or_eq private protected public register \
    reinterpret_cast requires restrict return short signed sizeof static static_assert static_cast struct switch \
    template this thread_local throw true try typedef typeid typename typeof union unsigned using virtual void \
    volatile wchar_t while xor xor_eq \
    NULL int64_t uintptr_t linux unix
    """.split(separator: " ").map(String.init))
}

extension Dim {
  /// The expression in C, over the helpers of `martlet.h`.
  func inC(symbol: (String) -> String) -> String {
    build(constant: { "INT64_C(\($0))" }, symbol: symbol) { operation, a, b in
      switch operation {
      case .add: "(\(a) + \(b))"
      case .multiply: "\(a) * \(b)"
      default: "martlet_\(operation.rawValue)(\(a), \(b))"
      }
    }
  }

  /// A size: never negative, and too large for any workspace where it overflows.
  func sizeInC(symbol: (String) -> String) -> String {
    let grows = growsWithItsSymbols
    let value = build(constant: { "INT64_C(\($0))" }, symbol: symbol) { operation, a, b in
      switch operation {
      case .add: grows ? "martlet_size_add(\(a), \(b))" : "martlet_exact_add(\(a), \(b), &lost)"
      case .multiply: grows ? "martlet_size_multiply(\(a), \(b))" : "martlet_exact_multiply(\(a), \(b), &lost)"
      default: "martlet_\(operation.rawValue)(\(a), \(b))"
      }
    }
    guard !grows else { return value }
    return "({ int lost = 0; const int64_t exact = \(value); lost ? INT64_MAX : martlet_max(0, exact); })"
  }
}
