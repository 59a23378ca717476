/// The one way to fail: what went wrong, where, and what to do next.
///
/// A diagnostic prints as a single line. `kind` decides the exit status of the
/// command, so a library caller and a shell script see the same distinction.
public struct Diagnostic: Error, Hashable, Sendable {
  public enum Kind: Int32, Sendable {
    /// The input is at fault, or a check on it failed.
    case invalid = 1
    /// The command line or an option is at fault.
    case usage = 2
    /// The input is fine, but Martlet cannot do this yet.
    case unsupported = 3
    /// A bug in Martlet.
    case `internal` = 70
  }

  public var kind: Kind
  public var message: String
  public var location: Location?
  /// The next step for the reader, without a full stop: "run `martlet targets` for the list".
  public var hint: String?

  public init(_ kind: Kind, _ message: String, at location: Location? = nil, hint: String? = nil) {
    self.kind = kind
    self.message = message
    self.location = location
    self.hint = hint
  }

  public static func invalid(_ message: String, at location: Location? = nil, hint: String? = nil) -> Diagnostic {
    Diagnostic(.invalid, message, at: location, hint: hint)
  }
  public static func usage(_ message: String, hint: String? = nil) -> Diagnostic {
    Diagnostic(.usage, message, hint: hint)
  }
  public static func unsupported(_ message: String, at location: Location? = nil, hint: String? = nil) -> Diagnostic {
    Diagnostic(.unsupported, message, at: location, hint: hint)
  }
  public static func bug(_ message: String, at location: Location? = nil) -> Diagnostic {
    Diagnostic(.internal, message, at: location)
  }

  /// The same diagnostic, placed at `location` unless it already has a place.
  public func located(_ location: @autoclosure () -> Location?) -> Diagnostic {
    guard self.location == nil else { return self }
    var copy = self
    copy.location = location()
    return copy
  }
}

extension Diagnostic: CustomStringConvertible {
  public var description: String {
    var text = ""
    if let location { text += "\(location): " }
    text += message
    if let hint { text += " (\(hint))" }
    return text
  }
}

/// A place in an input: a line of a text file, a byte of a binary one, a node of a model.
public struct Location: Hashable, Sendable, CustomStringConvertible {
  public var file: String?
  public var line: Int?
  public var column: Int?
  public var offset: Int?
  /// The op or field inside the file: `node "conv1" (Conv)`, `onnx:/conv/Conv`.
  public var path: String?

  public init(
    file: String? = nil, line: Int? = nil, column: Int? = nil, offset: Int? = nil, path: String? = nil
  ) {
    self.file = file
    self.line = line
    self.column = column
    self.offset = offset
    self.path = path
  }

  public var description: String {
    var parts: [String] = []
    var place = file ?? ""
    if let line {
      place += place.isEmpty ? "line \(line)" : ":\(line)"
      if let column { place += ":\(column)" }
    }
    if !place.isEmpty { parts.append(place) }
    if let offset { parts.append("byte \(offset)") }
    if let path { parts.append(path) }
    return parts.joined(separator: ": ")
  }
}
