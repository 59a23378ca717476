import CommandLineKit
import Support

/// `martlet completion`: the script that teaches a shell these commands.
enum CompletionCommand {
  static let command: Command = Command(.completion) { (arguments: Arguments) throws(Diagnostic) in
    let name = arguments.positionals[0]
    guard let shell = CompletionShell(rawValue: name) else {
      let shells = CompletionShell.allCases.map(\.rawValue)
      throw .usage("there is no completion for \(name)", hint: choiceHint(for: name, among: shells))
    }
    StandardOutput.write(martletProgram.completion(for: shell))
    return .success
  }
}
