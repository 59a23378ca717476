/// Writes help, from the specifications alone.
struct Help {
  let program: String
  /// Columns to fill.
  let width: Int

  func overview(_ summary: String, _ commands: [CommandSpec]) -> String {
    var text = "\(program): \(summary)\n\nusage: \(program) COMMAND [ARGUMENTS]\n\ncommands:\n"
    text += list(commands.map { ($0.name, $0.summary) })
    text += "\n"
    text += list([
      ("help COMMAND", "what a command takes, with examples; so does \(program) COMMAND --help"),
      ("--version", "which \(program) this is"),
    ])
    if let example = commands.lazy.compactMap(\.examples.first).first {
      text += "\nexample:\n  \(program) \(example.arguments)\n"
    }
    return text
  }

  func details(_ spec: CommandSpec) -> String {
    var text = "\(program) \(spec.name): \(spec.summary)\n\nusage: \(usage(spec))\n"
    if !spec.positionals.isEmpty {
      text += "\n" + list(spec.positionals.map { ($0.placeholder, $0.help) })
    }
    if !spec.options.isEmpty {
      text += "\noptions:\n" + list(spec.options.map { (left($0), right($0)) })
    }
    text += spec.examples.count == 1 ? "\nexample:\n" : "\nexamples:\n"
    for example in spec.examples {
      text += "  \(program) \(example.arguments)\n"
      text += wrapped(example.help, indent: 6, first: 6)
    }
    return text
  }

  private func usage(_ spec: CommandSpec) -> String {
    var parts = [program, spec.name]
    for positional in spec.positionals {
      switch positional.multiplicity {
      case .one: parts.append(positional.placeholder)
      case .optional: parts.append("[\(positional.placeholder)]")
      case .many: parts.append("[\(positional.placeholder)]...")
      }
    }
    for option in spec.options where option.isRequired {
      parts.append(option.short.map { "-\($0)" } ?? option.spelling)
      if let placeholder = option.placeholder { parts.append(placeholder) }
    }
    if spec.options.contains(where: { !$0.isRequired }) { parts.append("[OPTIONS]") }
    return parts.joined(separator: " ")
  }

  private func left(_ option: OptionSpec) -> String {
    var text = option.short.map { "-\($0), " } ?? ""
    text += option.spelling
    if let placeholder = option.placeholder { text += " \(placeholder)" }
    return text
  }

  private func right(_ option: OptionSpec) -> String {
    var text = option.help
    if !option.choices.isEmpty { text += ": \(option.choices.joined(separator: ", "))" }
    if let defaultText = option.defaultText { text += " (default \(defaultText))" }
    if option.repeats { text += "; may be given several times" }
    return text
  }

  /// Two columns; the right one is wrapped.
  private func list(_ rows: [(left: String, right: String)]) -> String {
    let leftWidth = min(rows.map(\.left.count).max() ?? 0, 28)
    var text = ""
    for row in rows {
      text += "  " + row.left
      let start = leftWidth + 4
      if row.left.count > leftWidth {
        text += "\n"
        text += wrapped(row.right, indent: start, first: start)
      } else {
        text += String(repeating: " ", count: leftWidth - row.left.count + 2)
        text += wrapped(row.right, indent: start, first: 0)
      }
    }
    return text
  }

  /// Lines of words that start at column `indent`; the first is moved by `first` only.
  private func wrapped(_ words: String, indent: Int, first: Int) -> String {
    let room = max(20, width - indent)
    var lines: [String] = [""]
    for word in words.split(separator: " ") {
      let last = lines.count - 1
      if lines[last].isEmpty {
        lines[last] = String(word)
      } else if lines[last].count + 1 + word.count <= room {
        lines[last] += " " + word
      } else {
        lines.append(String(word))
      }
    }
    var text = String(repeating: " ", count: first)
    text += lines.joined(separator: "\n" + String(repeating: " ", count: indent))
    return text + "\n"
  }
}
