import Glibc
import Synchronization

/// Another program, started and not yet waited for.
public final class RunningProcess: Sendable {
  public struct Outcome: Sendable {
    public var status: Int32
    public var output: [UInt8]
    public var errors: [UInt8]
  }

  /// Where a stream of the program leads.
  public enum Stream: Sendable {
    /// To our own stream.
    case inherited
    /// To us, by way of memory.
    case collected
  }

  private let process: pid_t
  /// Our ends of its streams; -1 where there is none.
  private let input: Int32
  private let output: Int32
  private let errors: Int32

  /// `program` is looked up in PATH unless it holds a slash. With `input: .collected` it gets what `finish` is given.
  public init(
    _ program: String, _ arguments: [String], directory: String? = nil, environment: [String: String] = [:],
    input: Stream, output: Stream
  ) throws(Diagnostic) {
    guard let path = Subprocess.find(program) else {
      throw .invalid("there is no program \(program)", hint: "`make setup` installs it")
    }
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    // The spawn interface that Swift sees cannot change folders; `env` can.
    let command = directory.map { ["env", "-C", $0, path] + arguments } ?? [path] + arguments
    // One at a time: a child of another thread must not inherit our ends and keep them open.
    RunningProcess.spawning._unsafeLock()
    defer { RunningProcess.spawning._unsafeUnlock() }
    var channels: [Channel?] = []
    defer { for channel in channels { channel?.closeTheirs() } }
    for (number, stream) in [input, output, output].enumerated() {
      let channel = try stream == .collected ? Channel() : nil
      channels.append(channel)
      if let channel { posix_spawn_file_actions_adddup2(&actions, channel.theirs, Int32(number)) }
    }

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
    guard failure == 0 else {
      for channel in channels { channel?.closeOurs() }
      throw .invalid("cannot start \(program): \(systemErrorText(failure))")
    }
    let started = process
    RunningProcess.running.withLock { _ = $0.insert(started) }
    self.process = process
    self.input = channels[0]?.ours ?? -1
    self.output = channels[1]?.ours ?? -1
    errors = channels[2]?.ours ?? -1
  }

  /// Sends what the program reads, collects what it writes, and waits for its end. To be called once.
  ///
  /// The program is expected to read everything before it writes much.
  public func finish(_ text: [UInt8] = []) -> Outcome {
    if input >= 0 {
      var sent = 0
      while sent < text.count {
        // Without a signal where the program has ended early; its status will tell.
        let count = text.withUnsafeBytes {
          send(input, $0.baseAddress! + sent, text.count - sent, Int32(MSG_NOSIGNAL))
        }
        if count < 0, errno == EINTR { continue }
        guard count > 0 else { break }
        sent += count
      }
      close(input)
    }
    let streams = RunningProcess.drain([output, errors])
    for stream in [output, errors] where stream >= 0 { close(stream) }
    var status: Int32 = 0
    while waitpid(process, &status, 0) < 0 && errno == EINTR {}
    RunningProcess.running.withLock { _ = $0.remove(process) }
    let exited = status & 0x7f == 0
    return Outcome(
      status: exited ? (status >> 8) & 0xff : 128 + (status & 0x7f), output: streams[0], errors: streams[1])
  }

  private static let spawning = Mutex<Void>(())
  private static let running = Mutex<Set<pid_t>>([])

  static func stopAll() {
    let processes = running.withLock { $0 }
    for process in processes { kill(process, SIGKILL) }
    // Whoever started them waits for them too, and may be first.
    for process in processes { waitpid(process, nil, 0) }
  }

  /// Two ends of one stream. A pair of sockets, for writing to a pipe whose reader has gone raises a signal.
  private struct Channel {
    let ours: Int32
    let theirs: Int32

    init() throws(Diagnostic) {
      var ends: [Int32] = [-1, -1]
      let type = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
      guard socketpair(AF_UNIX, type, 0, &ends) == 0 else {
        throw .invalid("cannot talk to another program: \(systemErrorText())")
      }
      (ours, theirs) = (ends[0], ends[1])
    }
    func closeOurs() { close(ours) }
    func closeTheirs() { close(theirs) }
  }

  /// Reads all streams until they end, whichever has something first.
  private static func drain(_ streams: [Int32]) -> [[UInt8]] {
    var bytes = [[UInt8]](repeating: [], count: streams.count)
    var polls = streams.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
    var chunk = [UInt8](repeating: 0, count: 1 << 16)
    while polls.contains(where: { $0.fd >= 0 }) {
      if poll(&polls, nfds_t(polls.count), -1) < 0 {
        if errno == EINTR { continue }
        break
      }
      for number in polls.indices where polls[number].fd >= 0 && polls[number].revents != 0 {
        let count = read(polls[number].fd, &chunk, chunk.count)
        if count > 0 {
          bytes[number] += chunk[..<count]
        } else if count == 0 || errno != EINTR {
          polls[number].fd = -1
        }
      }
    }
    return bytes
  }
}
