/// Completion for bash: one function that looks at the command and at the option before the cursor.
struct BashCompletion {
  let program: String
  let commands: [CommandSpec]

  var script: String {
    let function = "_\(program.shellIdentifier)_complete"
    var lines = [
      "# Completion of \(program) for bash: `eval \"$(\(program) completion bash)\"`.",
      "\(function)() {",
      "  local current=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} command= place=0 number skip=",
      "  COMPREPLY=()",
      // bash takes --name=value apart.
      "  if [[ $current == = ]]; then current=; elif [[ $before == = ]]; then before=${COMP_WORDS[COMP_CWORD-2]}; fi",
      "  for ((number = 1; number < COMP_CWORD; ++number)); do",
      "    local word=${COMP_WORDS[number]}",
      "    if [[ -n $skip ]]; then [[ $word == = ]] || skip=; continue; fi",
      "    if [[ -z $command ]]; then command=$word; continue; fi",
      "    case \"$command $word\" in",
    ]
    for command in commands {
      let valued = command.options.filter { $0.placeholder != nil }.flatMap(spellings)
      guard !valued.isEmpty else { continue }
      lines.append("      \(patterns(command, valued))) skip=1 ;;")
    }
    lines += [
      "      *) [[ $word == -* || $word == = ]] || ((++place)) ;;",
      "    esac",
      "  done",
      "  if [[ -z $command ]]; then",
      "    \(reply(.words(commands.map(\.name) + ["help", "--help", "--version"])))",
      "    return",
      "  fi",
      "  if [[ $command == help ]]; then",
      "    \(reply(.words(commands.map(\.name))))",
      "    return",
      "  fi",
      "  case \"$command $before\" in",
    ]
    for command in commands {
      for option in command.options where option.placeholder != nil {
        lines.append("    \(patterns(command, spellings(option)))) \(reply(option.completion)); return ;;")
      }
    }
    lines += ["  esac", "  if [[ $current == -* ]]; then", "    case $command in"]
    for command in commands {
      let options = command.options.map(\.spelling) + ["--help"]
      lines.append("      \(command.name)) \(reply(.words(options))) ;;")
    }
    lines += ["    esac", "    return", "  fi", "  case \"$command $place\" in"]
    for command in commands {
      for (number, positional) in command.positionals.enumerated() {
        let pattern = positional.multiplicity == .many ? "\"\(command.name) \"*" : "\"\(command.name) \(number)\""
        lines.append("    \(pattern)) \(reply(positional.completion)) ;;")
      }
    }
    lines += ["  esac", "}", "complete -o filenames -F \(function) \(program)"]
    return lines.joined(separator: "\n") + "\n"
  }

  private func spellings(_ option: OptionSpec) -> [String] {
    [option.spelling] + (option.short.map { ["-\($0)"] } ?? [])
  }

  private func patterns(_ command: CommandSpec, _ words: [String]) -> String {
    words.map { "\"\(command.name) \($0)\"" }.joined(separator: " | ")
  }

  private func reply(_ values: CompletionValues) -> String {
    switch values {
    case .words(let words):
      "mapfile -t COMPREPLY < <(compgen -W \(words.joined(separator: " ").singleQuoted) -- \"$current\")"
    case .files: "mapfile -t COMPREPLY < <(compgen -f -- \"$current\")"
    case .folders: "mapfile -t COMPREPLY < <(compgen -d -- \"$current\")"
    case .unknown: "COMPREPLY=()"
    }
  }
}
