/// A command line that was found in order: typed values, none missing.
public struct Arguments: Sendable {
  public let command: String
  /// In their order.
  public let positionals: [String]
  /// The checked texts of the options that were given, by name.
  private let given: [String: [String]]

  init(command: String, positionals: [String], given: [String: [String]]) {
    self.command = command
    self.positionals = positionals
    self.given = given
  }

  public subscript<Value>(_ key: OptionKey<Value>) -> Value { key.value(given[key.spec.name] ?? []) }

  /// Whether the option was given, whatever its default.
  public func has<Value>(_ key: OptionKey<Value>) -> Bool { given[key.spec.name] != nil }
}
