import Glibc

/// Runs another program and waits for it.
public enum Subprocess {
  public struct Outcome: Sendable {
    public var status: Int32
    public var output: String
    public var errors: String
  }

  /// `program` is looked up in PATH unless it holds a slash. Its output is collected, bounded by what it writes.
  /// With `inherit`, it writes to our own streams instead.
  public static func run(
    _ program: String, _ arguments: [String], directory: String? = nil, environment: [String: String] = [:],
    inherit: Bool = false
  ) throws(Diagnostic) -> Outcome {
    let process = try RunningProcess(
      program, arguments, directory: directory, environment: environment, input: .inherited,
      output: inherit ? .inherited : .collected)
    let outcome = process.finish()
    return Outcome(
      status: outcome.status, output: String(decoding: outcome.output, as: UTF8.self),
      errors: String(decoding: outcome.errors, as: UTF8.self))
  }

  /// Ends the programs that are still running, so that they write nothing more. For a process that is about to end.
  public static func stopAll() { RunningProcess.stopAll() }

  /// The program's file, looked up as a shell would.
  public static func find(_ program: String) -> String? {
    if program.contains("/") { return access(program, X_OK) == 0 ? program : nil }
    let folders = getenv("PATH").map { String(cString: $0) } ?? "/usr/bin:/bin"
    for folder in folders.split(separator: ":") {
      let candidate = "\(folder)/\(program)"
      if access(candidate, X_OK) == 0 { return candidate }
    }
    return nil
  }
}
