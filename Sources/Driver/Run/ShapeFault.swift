import Support

/// Shapes reach the frontends as if --shape had given them. When they came from files, so does the blame.
enum ShapeFault {
  /// The diagnostic with the file that holds the shape it complains about; `files` are by input.
  static func placed(_ error: Diagnostic, _ files: [String: String]) -> Diagnostic {
    guard error.kind == .usage, !error.message.hasSuffix("there is no such input") else { return error }
    for (input, file) in files.sorted(by: { $0.key < $1.key }) {
      let prefix = "--shape \(input):"
      if error.message.hasPrefix(prefix) {
        return .invalid("input \(input):\(error.message.dropFirst(prefix.count))", at: Location(file: file))
      }
      if error.message.contains("\"\(input)\"") { return .invalid(error.message, at: Location(file: file)) }
    }
    return error
  }
}
