import Support

/// What a shell completes at some place of a command line.
public enum CompletionValues: Hashable, Sendable {
  case words([String])
  case files
  case folders
  /// Anything: a number, a name that only the reader knows.
  case unknown
}

/// A shell that can be taught a program's commands.
public enum CompletionShell: String, CaseIterable, Sendable {
  case bash, zsh, fish
}

extension OptionSpec {
  /// What its value may be: its choices, else what its placeholder says.
  var completion: CompletionValues {
    if !choices.isEmpty { return .words(choices) }
    let suggestions = suggestions()
    if !suggestions.isEmpty { return .words(suggestions) }
    return placeholder.map { CompletionValues(placeholder: $0) } ?? .unknown
  }
}

extension CommandSpec.Positional {
  var completion: CompletionValues {
    if !choices.isEmpty { return .words(choices) }
    return CompletionValues(placeholder: placeholder)
  }
}

extension CompletionValues {
  /// Placeholders say what they stand for: `DIR`, `FILE`, `NAME=FILE.npy`, `MODEL|ARTIFACT`.
  init(placeholder: String) {
    let words = ["FILE", "OUT", "MODEL", "ARTIFACT", ".npz", ".npy", ".mir"]
    if placeholder == "DIR" {
      self = .folders
    } else if words.contains(where: { placeholder.contains($0) }) {
      self = .files
    } else {
      self = .unknown
    }
  }
}

/// Writes the script that teaches a shell what the commands take, from their specifications alone.
struct Completion {
  let program: String
  let commands: [CommandSpec]

  func script(for shell: CompletionShell) -> String {
    switch shell {
    case .bash: BashCompletion(program: program, commands: commands).script
    case .zsh: ZshCompletion(program: program, commands: commands).script
    case .fish: FishCompletion(program: program, commands: commands).script
    }
  }
}

extension String {
  /// In single quotes, for any shell of these.
  var singleQuoted: String { "'" + replacing("'", with: "'\\''") + "'" }
  /// The program's name as part of a function's.
  var shellIdentifier: String { String(map { $0.isLetter || $0.isNumber ? $0 : "_" }) }
}
