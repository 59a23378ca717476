import Support

/// Reads the arguments of one command by its specification.
///
/// Options may stand anywhere, as `--name value`, `--name=value`, `-n value` or
/// `-nvalue`; after `--` everything is positional, and so is a lone `-`.
struct ArgumentParser {
  enum Outcome {
    case run(Arguments)
    case help
  }

  private let program: String
  private let spec: CommandSpec
  private var positionals: [String] = []
  private var given: [String: [String]] = [:]
  private var rest: ArraySlice<String>

  static func parse(_ arguments: some Sequence<String>, of spec: CommandSpec, program: String)
    throws(Diagnostic) -> Outcome
  {
    var parser = ArgumentParser(program: program, spec: spec, rest: Array(arguments)[...])
    return try parser.outcome()
  }

  private var helpHint: String { "see `\(program) \(spec.name) --help`" }

  private mutating func outcome() throws(Diagnostic) -> Outcome {
    while let word = rest.popFirst() {
      if word == "--" {
        positionals += rest
        break
      }
      if word == "--help" || word == "-h" { return .help }
      if word.hasPrefix("--") {
        try long(word.dropFirst(2))
      } else if word.hasPrefix("-"), word.count > 1 {
        try short(word.dropFirst())
      } else {
        positionals.append(word)
      }
    }
    try checkPresence()
    return .run(Arguments(command: spec.name, positionals: positionals, given: given))
  }

  private mutating func long(_ word: Substring) throws(Diagnostic) {
    let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
    let name = String(parts[0])
    guard let option = spec.options.first(where: { $0.name == name }) else {
      let near = closest(to: name, among: spec.options.map(\.name) + ["help"])
      throw .usage("unknown option --\(name)", hint: near.map { "did you mean --\($0)?" } ?? helpHint)
    }
    try take(option, spelling: "--\(name)", attached: parts.count > 1 ? String(parts[1]) : nil)
  }

  private mutating func short(_ word: Substring) throws(Diagnostic) {
    guard let letter = word.first, let option = spec.options.first(where: { $0.short == letter }) else {
      throw .usage("unknown option -\(word)", hint: helpHint)
    }
    let attached = word.dropFirst()
    try take(option, spelling: "-\(letter)", attached: attached.isEmpty ? nil : String(attached))
  }

  private mutating func take(_ option: OptionSpec, spelling: String, attached: String?) throws(Diagnostic) {
    if given[option.name] != nil, !option.repeats, option.placeholder != nil {
      throw .usage("\(spelling) is given twice")
    }
    guard let placeholder = option.placeholder else {
      guard attached == nil else { throw .usage("\(spelling) takes no value") }
      given[option.name] = [""]
      return
    }
    var value = attached
    if value == nil, let next = rest.first, !next.hasPrefix("--") {
      value = next
      rest.removeFirst()
    }
    guard let value, !value.isEmpty else { throw .usage("\(spelling) wants a value: \(placeholder)", hint: helpHint) }
    try option.check(value)
    given[option.name, default: []].append(value)
  }

  private func checkPresence() throws(Diagnostic) {
    let least = spec.positionals.count { $0.multiplicity == .one }
    if positionals.count < least {
      let missing = spec.positionals.filter { $0.multiplicity == .one }[positionals.count]
      throw .usage("\(missing.placeholder) is missing", hint: helpHint)
    }
    let isOpen = spec.positionals.contains { $0.multiplicity == .many }
    if !isOpen, positionals.count > spec.positionals.count {
      throw .usage("unexpected argument \"\(positionals[spec.positionals.count])\"", hint: helpHint)
    }
    if let missing = spec.options.first(where: { $0.isRequired && given[$0.name] == nil }) {
      let spelling = missing.short.map { "-\($0)" } ?? missing.spelling
      throw .usage("\(spelling) \(missing.placeholder ?? "") is missing", hint: helpHint)
    }
  }
}
