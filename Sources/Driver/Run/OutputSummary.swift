import CommandLineKit
import IR
import Support

/// A result in one line: name, type, shape and the first elements.
enum OutputSummary {
  private static let shown = 8

  static func print(_ outputs: [(name: String, value: Value)]) {
    for (name, value) in outputs { StandardOutput.line(oneLine("\(name) \(text(value))")) }
  }

  private static func text(_ value: Value) -> String {
    switch value {
    case .tensor(let tensor): text(tensor)
    case .sequence(let values): "seq of \(values.count): " + values.prefix(shown).map(text).joined(separator: "; ")
    case .optional(let value): value.map(text) ?? "none"
    }
  }

  private static func text(_ tensor: Tensor) -> String {
    let type = tensor.storage?.rawValue ?? "\(tensor.element)"
    var line = "\(type)[\(tensor.shape.map(String.init).joined(separator: ", "))]:"
    for element in elements(tensor) { line += " " + element }
    return tensor.count > shown ? line + " ..." : line
  }

  private static func elements(_ tensor: Tensor) -> [String] {
    let count = min(shown, tensor.count)
    if tensor.storage == .string {
      return tensor.strings.prefix(count).map { "\"\(String(decoding: $0, as: UTF8.self))\"" }
    }
    // Only the first elements are decoded: the tensor may be large.
    let head = tensor.head(count)
    if tensor.isFloat { return head.doubles().map { "\(Float($0))" } }
    return head.integers().map { tensor.storage == .bool ? ($0 != 0 ? "true" : "false") : "\($0)" }
  }
}

extension Tensor {
  /// The first `count` elements as a vector; block and packed tensors stay whole.
  fileprivate func head(_ count: Int) -> Tensor {
    guard let storage, storage != .string, layout == nil, let size = storage.bytes(for: count),
      let part = bytes.slice(0, size), let head = try? Tensor(element: element, shape: [count], bytes: part)
    else { return self }
    return head
  }
}
