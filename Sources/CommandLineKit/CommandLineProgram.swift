import Support

/// A program of several commands, and what holds for all of them: help, version,
/// exit statuses, one line an error.
public struct CommandLineProgram: Sendable {
  private let name: String
  private let summary: String
  private let version: String
  private let commands: [Command]

  public init(name: String, summary: String, version: String, commands: [Command]) {
    self.name = name
    self.summary = summary
    self.version = version
    self.commands = commands
  }

  /// Runs the command that `arguments` (without the program's name) ask for and returns the exit status.
  public func run(_ arguments: [String]) -> Int32 {
    let status: Int32
    do throws(Diagnostic) {
      status = try dispatch(arguments).rawValue
      try StandardOutput.check()
    } catch {
      StandardError.line(report(error, arguments))
      return error.kind.rawValue
    }
    return status
  }

  private func dispatch(_ arguments: [String]) throws(Diagnostic) -> ExitStatus {
    guard let first = arguments.first else {
      StandardOutput.write(help.overview(summary, visible))
      return .success
    }
    switch first {
    case "--version":
      StandardOutput.line("\(name) \(version)")
      return .success
    case "help", "--help", "-h":
      guard let topic = arguments.dropFirst().first else {
        StandardOutput.write(help.overview(summary, visible))
        return .success
      }
      StandardOutput.write(help.details(try command(topic).spec))
      return .success
    default: break
    }
    let command = try command(first)
    switch try ArgumentParser.parse(arguments.dropFirst(), of: command.spec, program: name) {
    case .help:
      StandardOutput.write(help.details(command.spec))
      return .success
    case .run(let parsed):
      return try command.body(parsed)
    }
  }

  /// A script that teaches a shell the commands.
  public func completion(for shell: CompletionShell) -> String {
    Completion(program: name, commands: visible).script(for: shell)
  }

  private var visible: [CommandSpec] { commands.map(\.spec).filter { !$0.isHidden } }
  private var help: Help { Help(program: name, width: Terminal.width) }

  private func command(_ word: String) throws(Diagnostic) -> Command {
    if let command = commands.first(where: { $0.spec.name == word }) { return command }
    if word.hasPrefix("-") {
      throw .usage("unknown option \(word)", hint: "see `\(name) help`")
    }
    let near = closest(to: word, among: visible.map(\.name))
    throw .usage("unknown command \"\(word)\"", hint: near.map { "did you mean \($0)?" } ?? "see `\(name) help`")
  }

  /// The one line for a failure.
  func report(_ diagnostic: Diagnostic, _ arguments: [String]) -> String {
    var text = "\(name): error: \(diagnostic)"
    if diagnostic.kind == .internal {
      let line = ([name] + arguments).map(shellQuoted).joined(separator: " ")
      text += "; this is a bug in Martlet; reproduce with: \(line)"
    }
    return oneLine(text)
  }
}

/// `word` as a shell reads it back.
func shellQuoted(_ word: String) -> String {
  let isPlain = word.unicodeScalars.allSatisfy { scalar in
    scalar.isASCII
      && (scalar.properties.isAlphabetic || ("0"..."9").contains(scalar)
        || "-_./=:,+@%".unicodeScalars.contains(scalar))
  }
  if isPlain, !word.isEmpty { return word }
  return "'" + word.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''") + "'"
}

/// `text` without characters that break a line or command a terminal: names come from files of anybody.
public func oneLine(_ text: String) -> String {
  var result = ""
  for scalar in text.unicodeScalars {
    switch scalar.properties.generalCategory {
    case .control, .lineSeparator, .paragraphSeparator, .format:
      result += "\\u{\(String(scalar.value, radix: 16))}"
    default: result.unicodeScalars.append(scalar)
    }
  }
  return result
}
