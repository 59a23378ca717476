import Support

/// Shapes reach the frontends as if --shape had given them. When they came from files, so does the blame.
enum ShapeFault {
  /// The diagnostic with the file that holds the shape it complains about; `files` are by input, of `entry` if that is
  /// named.
  static func placed(_ error: Diagnostic, _ files: [String: String], entry: String?) -> Diagnostic {
    guard error.kind == .usage else { return error }
    for (input, file) in files.sorted(by: { $0.key < $1.key }) {
      let prefix = "--shape \(InputSources.key(input, of: entry)):"
      if error.message.hasPrefix(prefix) {
        guard !error.message.hasSuffix("there is no such input") else {
          let place = entry.map { "no entry \($0) with an" } ?? "no"
          return Diagnostic(.usage, "there is \(place) input \(input)", hint: error.hint)
        }
        return .invalid("input \(input):\(error.message.dropFirst(prefix.count))", at: Location(file: file))
      }
      if error.message.contains("\"\(input)\"") { return .invalid(error.message, at: Location(file: file)) }
    }
    return error
  }
}
