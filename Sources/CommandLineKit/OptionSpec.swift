import Support

/// How one option is written and explained.
public struct OptionSpec: Sendable {
  /// Without the dashes.
  public var name: String
  public var short: Character?
  /// What stands for the value in help; nil: a flag, which takes none.
  public var placeholder: String?
  public var help: String
  /// What holds when the option is not given, for help.
  public var defaultText: String?
  public var choices: [String] = []
  /// Values worth completing where others are possible too.
  var suggestions: @Sendable () -> [String] = { [] }
  public var isRequired = false
  /// Whether it may be given several times.
  public var repeats = false
  /// Refuses values that are not of the option's type.
  var check: @Sendable (_ value: String) throws(Diagnostic) -> Void = { (_: String) throws(Diagnostic) in }

  /// As the reader would type it.
  public var spelling: String { "--\(name)" }
}

/// An option together with the type of its value: `arguments[threads]` is an `Int?`.
public struct OptionKey<Value: Sendable>: Sendable {
  public var spec: OptionSpec
  /// Makes the value of the checked texts that were given.
  let value: @Sendable ([String]) -> Value

  /// Also as `-o`.
  public func short(_ letter: Character) -> OptionKey {
    var copy = self
    copy.spec.short = letter
    return copy
  }

  /// With values for completion, made when they are asked for.
  public func suggesting(_ words: @escaping @Sendable () -> [String]) -> OptionKey {
    var copy = self
    copy.spec.suggestions = words
    return copy
  }

  private static func make(
    _ name: String, _ placeholder: String?, _ help: String, default defaultText: String? = nil,
    choices: [String] = [], value: @escaping @Sendable ([String]) -> Value
  ) -> OptionKey {
    var spec = OptionSpec(name: name, placeholder: placeholder, help: help, defaultText: defaultText, choices: choices)
    if !choices.isEmpty {
      spec.check = { (text: String) throws(Diagnostic) in
        if choices.contains(text) { return }
        throw .usage("--\(name) cannot be \"\(text)\"", hint: choiceHint(for: text, among: choices))
      }
    }
    return OptionKey(spec: spec, value: value)
  }
}

extension OptionKey where Value == Bool {
  public static func flag(_ name: String, _ help: String) -> OptionKey {
    make(name, nil, help) { !$0.isEmpty }
  }
}

extension OptionKey where Value == String? {
  public static func text(_ name: String, _ placeholder: String, _ help: String) -> OptionKey {
    make(name, placeholder, help) { $0.last }
  }
}

extension OptionKey where Value == String {
  public static func text(
    _ name: String, _ placeholder: String, default fallback: String, _ help: String
  ) -> OptionKey {
    make(name, placeholder, help, default: fallback) { $0.last ?? fallback }
  }

  /// An option that must be given.
  public static func required(_ name: String, _ placeholder: String, _ help: String) -> OptionKey {
    var key = make(name, placeholder, help) { $0.last ?? "" }
    key.spec.isRequired = true
    return key
  }
}

extension OptionKey where Value == [String] {
  /// May be given several times.
  public static func list(_ name: String, _ placeholder: String, _ help: String) -> OptionKey {
    var key = make(name, placeholder, help) { $0 }
    key.spec.repeats = true
    return key
  }

  /// One value with commas: `a,b,c`.
  public static func commaSeparated(_ name: String, _ placeholder: String, _ help: String) -> OptionKey {
    make(name, placeholder, help) { texts in
      texts.flatMap { $0.split(separator: ",").map(String.init) }
    }
  }
}

extension OptionKey where Value == Int? {
  public static func integer(
    _ name: String, _ placeholder: String, _ range: ClosedRange<Int>, _ help: String
  ) -> OptionKey {
    var key = make(name, placeholder, help) { $0.last.flatMap { Int($0) } }
    key.spec.check = { (text: String) throws(Diagnostic) in
      guard let number = Int(text) else {
        throw .usage("--\(name) wants a whole number, not \"\(text)\"")
      }
      guard range.contains(number) else {
        throw .usage("--\(name) \(number) is out of range", hint: describe(range))
      }
    }
    return key
  }

  private static func describe(_ range: ClosedRange<Int>) -> String {
    range.upperBound == Int.max
      ? "at least \(range.lowerBound)" : "\(range.lowerBound) to \(range.upperBound)"
  }
}

extension OptionKey where Value == Double? {
  /// A finite number that is not negative.
  public static func decimal(
    _ name: String, _ placeholder: String, default defaultText: String? = nil, _ help: String
  ) -> OptionKey {
    var key = make(name, placeholder, help, default: defaultText) { texts in
      (texts.last ?? defaultText).flatMap { Double($0) }
    }
    key.spec.check = { (text: String) throws(Diagnostic) in
      guard let number = Double(text), number.isFinite, number >= 0 else {
        throw .usage("--\(name) wants a number of 0 or more, not \"\(text)\"")
      }
    }
    return key
  }
}

extension OptionKey where Value: RawRepresentable & CaseIterable, Value.RawValue == String {
  /// One of a type's cases, by its raw value.
  public static func choice(_ name: String, _ placeholder: String, default fallback: Value, _ help: String) -> OptionKey
  {
    make(name, placeholder, help, default: fallback.rawValue, choices: Value.allCases.map(\.rawValue)) { texts in
      texts.last.flatMap { Value(rawValue: $0) } ?? fallback
    }
  }
}

extension OptionKey {
  /// One of a type's cases, or none.
  public static func choice<Choice: RawRepresentable & CaseIterable & Sendable>(
    _ name: String, _ placeholder: String, _ help: String
  ) -> OptionKey where Choice.RawValue == String, Value == Choice? {
    make(name, placeholder, help, choices: Choice.allCases.map(\.rawValue)) { texts in
      texts.last.flatMap { Choice(rawValue: $0) }
    }
  }
}
