import Support

/// How one command is written and explained.
public struct CommandSpec: Sendable {
  public var name: String
  /// What it does, in a few words: "compile a model into native code".
  public var summary: String
  public var positionals: [Positional]
  public var options: [OptionSpec]
  public var examples: [Example]
  /// Left out of help and suggestions: a command that the program runs itself.
  public var isHidden = false

  public init(
    _ name: String, _ summary: String, positionals: [Positional] = [], options: [OptionSpec] = [], examples: [Example]
  ) {
    self.name = name
    self.summary = summary
    self.positionals = positionals
    self.options = options
    self.examples = examples
  }

  /// An argument that is known by its place.
  public struct Positional: Sendable {
    public enum Multiplicity: Sendable { case one, optional, many }
    public var placeholder: String
    public var help: String
    public var multiplicity: Multiplicity
    /// What it may be, for completion; empty where anything goes.
    public var choices: [String]

    public init(
      _ placeholder: String, _ help: String, _ multiplicity: Multiplicity = .one, choices: [String] = []
    ) {
      self.placeholder = placeholder
      self.help = help
      self.multiplicity = multiplicity
      self.choices = choices
    }
  }

  /// A command line worth copying, without the program's name, and what it is good for.
  public struct Example: Sendable {
    public var arguments: String
    public var help: String

    public init(_ arguments: String, _ help: String) {
      self.arguments = arguments
      self.help = help
    }
  }
}

/// A command with what it does.
public struct Command: Sendable {
  public typealias Body = @Sendable (Arguments) throws(Diagnostic) -> ExitStatus

  public var spec: CommandSpec
  let body: Body

  public init(_ spec: CommandSpec, _ body: @escaping Body) {
    self.spec = spec
    self.body = body
  }
}

/// What a shell sees. Diagnostics carry the statuses of failures.
public struct ExitStatus: RawRepresentable, Hashable, Sendable {
  public var rawValue: Int32
  public init(rawValue: Int32) { self.rawValue = rawValue }

  public static let success = ExitStatus(rawValue: 0)
  /// A check that was asked for failed, and the results printed say so.
  public static let checkFailed = ExitStatus(rawValue: Diagnostic.Kind.invalid.rawValue)
}
