/// Completion for fish: a line an option.
struct FishCompletion {
  let program: String
  let commands: [CommandSpec]

  var script: String {
    var lines = [
      "# Completion of \(program) for fish: `\(program) completion fish | source`.",
      "complete -c \(program) -f",
    ]
    for command in commands {
      lines.append(
        "complete -c \(program) -n __fish_use_subcommand -a \(quoted(command.name)) -d \(quoted(command.summary))")
    }
    lines.append(
      "complete -c \(program) -n '__fish_seen_subcommand_from help' -a \(quoted(commands.map(\.name).joined(separator: " ")))"
    )
    for command in commands {
      let start = "complete -c \(program) -n \(quoted("__fish_seen_subcommand_from \(command.name)"))"
      for positional in command.positionals {
        switch positional.completion {
        case .words(let words): lines.append("\(start) -a \(quoted(words.joined(separator: " ")))")
        case .files, .folders: lines.append("\(start) -F")
        case .unknown: break
        }
      }
      for option in command.options {
        var line = "\(start) -l \(option.name)"
        if let short = option.short { line += " -s \(short)" }
        if option.placeholder != nil { line += value(option.completion) }
        lines.append("\(line) -d \(quoted(option.help))")
      }
    }
    return lines.joined(separator: "\n") + "\n"
  }

  private func value(_ values: CompletionValues) -> String {
    switch values {
    case .words(let words): " -x -a \(quoted(words.joined(separator: " ")))"
    case .files: " -r -F"
    case .folders: " -x -a '(__fish_complete_directories)'"
    case .unknown: " -x"
    }
  }

  /// In single quotes, where fish knows two escapes.
  private func quoted(_ text: String) -> String {
    "'" + text.replacing("\\", with: "\\\\").replacing("'", with: "\\'") + "'"
  }
}
