import Glibc
import Synchronization

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
    guard let path = find(program) else {
      throw .invalid("there is no program \(program)", hint: "`make setup` installs it")
    }
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    // The spawn interface that Swift sees cannot change folders; `env` can.
    let command = directory.map { ["env", "-C", $0, path] + arguments } ?? [path] + arguments
    // One at a time: a child of another thread must not inherit our pipes and keep them open.
    spawning._unsafeLock()
    var isLocked = true
    defer { if isLocked { spawning._unsafeUnlock() } }
    var output = try Pipe(unless: inherit)
    var errors = try Pipe(unless: inherit)
    output?.redirect(STDOUT_FILENO, in: &actions)
    errors?.redirect(STDERR_FILENO, in: &actions)

    var variables: [UnsafeMutablePointer<CChar>?] = []
    var current = environ
    while let entry = current.pointee {
      let text = String(cString: entry)
      let name = String(text.prefix { $0 != "=" })
      if environment[name] == nil { variables.append(strdup(text)) }
      current += 1
    }
    for (name, value) in environment.sorted(by: { $0.key < $1.key }) { variables.append(strdup("\(name)=\(value)")) }
    var words: [UnsafeMutablePointer<CChar>?] = command.map { strdup($0) }
    words.append(nil)
    variables.append(nil)
    defer { for word in words + variables { free(word) } }

    var process = pid_t()
    let failure = posix_spawnp(&process, command[0], &actions, nil, words, variables)
    output?.closeWriter()
    errors?.closeWriter()
    spawning._unsafeUnlock()
    isLocked = false
    guard failure == 0 else { throw .invalid("cannot start \(program): \(systemErrorText(failure))") }
    running.withLock { _ = $0.insert(process) }
    let (outputText, errorText) = Subprocess.drain(output?.reader, errors?.reader)
    output?.closeReader()
    errors?.closeReader()
    var status: Int32 = 0
    while waitpid(process, &status, 0) < 0 && errno == EINTR {}
    running.withLock { _ = $0.remove(process) }
    let exited = status & 0x7f == 0
    return Outcome(status: exited ? (status >> 8) & 0xff : 128 + (status & 0x7f), output: outputText, errors: errorText)
  }

  private static let spawning = Mutex<Void>(())
  private static let running = Mutex<Set<pid_t>>([])

  /// Ends the programs that are still running, so that they write nothing more. For a process that is about to end.
  public static func stopAll() {
    let processes = running.withLock { $0 }
    for process in processes { kill(process, SIGKILL) }
    // Whoever started them waits for them too, and may be first.
    for process in processes { waitpid(process, nil, 0) }
  }

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

  private struct Pipe {
    var reader: Int32
    var writer: Int32

    init?(unless inherit: Bool) throws(Diagnostic) {
      if inherit { return nil }
      var ends: [Int32] = [-1, -1]
      guard pipe(&ends) == 0 else { throw .invalid("cannot make a pipe: \(systemErrorText())") }
      for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
      (reader, writer) = (ends[0], ends[1])
    }
    func redirect(_ stream: Int32, in actions: inout posix_spawn_file_actions_t) {
      posix_spawn_file_actions_adddup2(&actions, writer, stream)
    }
    mutating func closeWriter() { close(writer) }
    mutating func closeReader() { close(reader) }
  }

  /// Reads both streams until both end, whichever has something first.
  private static func drain(_ output: Int32?, _ errors: Int32?) -> (String, String) {
    guard let output, let errors else { return ("", "") }
    var texts: [[UInt8]] = [[], []]
    var polls = [
      pollfd(fd: output, events: Int16(POLLIN), revents: 0), pollfd(fd: errors, events: Int16(POLLIN), revents: 0),
    ]
    var chunk = [UInt8](repeating: 0, count: 1 << 16)
    while polls.contains(where: { $0.fd >= 0 }) {
      if poll(&polls, 2, -1) < 0 {
        if errno == EINTR { continue }
        break
      }
      for number in 0..<2 where polls[number].fd >= 0 && polls[number].revents != 0 {
        let count = read(polls[number].fd, &chunk, chunk.count)
        if count > 0 {
          texts[number] += chunk[..<count]
        } else if count == 0 || errno != EINTR {
          polls[number].fd = -1
        }
      }
    }
    return (String(decoding: texts[0], as: UTF8.self), String(decoding: texts[1], as: UTF8.self))
  }
}
