/// Completion for zsh: `_arguments` with a specification a command.
struct ZshCompletion {
  let program: String
  let commands: [CommandSpec]

  var script: String {
    let function = "_\(program.shellIdentifier)"
    var lines = [
      "#compdef \(program)",
      "# Completion of \(program) for zsh: put it as _\(program) into a folder of $fpath, or",
      "# `source <(\(program) completion zsh)`.",
      "\(function)() {",
      "  local -a commands=(",
    ]
    for command in commands { lines.append("    \("\(escaped(command.name)):\(command.summary)".singleQuoted)") }
    lines += [
      "  )",
      "  if ((CURRENT == 2)); then",
      "    _describe -t commands command commands",
      "    return",
      "  fi",
      "  local command=${words[2]}",
      "  words=(\"${words[@]:1}\")",
      "  ((--CURRENT))",
      "  case $command in",
    ]
    for command in commands {
      lines.append("    \(command.name))")
      let arguments = command.options.flatMap(arguments) + positionals(command)
      lines.append("      _arguments -S \\")
      lines.append(arguments.map { "        \($0.singleQuoted)" }.joined(separator: " \\\n"))
      lines.append("      ;;")
    }
    lines += [
      "    help) _describe -t commands command commands ;;",
      "  esac",
      "}",
      "if [[ $funcstack[1] == \(function) ]]; then \(function) \"$@\"; else compdef \(function) \(program); fi",
    ]
    return lines.joined(separator: "\n") + "\n"
  }

  private func arguments(_ option: OptionSpec) -> [String] {
    let help = "[\(escaped(option.help))]"
    let value = option.placeholder.map { ":\(escaped($0)):\(action(option.completion))" } ?? ""
    let repeats = option.repeats ? "*" : ""
    let equals = option.placeholder == nil ? "" : "="
    return ["\(repeats)\(option.spelling)\(equals)\(help)\(value)"]
      + (option.short.map { ["\(repeats)-\($0)\(help)\(value)"] } ?? [])
  }

  private func positionals(_ command: CommandSpec) -> [String] {
    let own = command.positionals.map { positional in
      let place = positional.multiplicity == .many ? "*" : ""
      return "\(place):\(escaped(positional.placeholder)):\(action(positional.completion))"
    }
    return own + ["--help[\("what the command takes")]"]
  }

  private func action(_ values: CompletionValues) -> String {
    switch values {
    case .words(let words): "(\(words.map(escaped).joined(separator: " ")))"
    case .files: "_files"
    case .folders: "_files -/"
    case .unknown: " "
    }
  }

  /// What `_arguments` would read as its own.
  private func escaped(_ text: String) -> String {
    var result = ""
    for character in text {
      if "\\:[]()".contains(character) { result.append("\\") }
      result.append(character)
    }
    return result
  }
}
