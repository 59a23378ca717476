import Foundation
import TestSupport
import Testing

/// A folder in which the commands of a document run, one after the other: a copy of `Examples/digits`, with `martlet`
/// and a C compiler in the path.
struct Workplace {
  private let folder: TestFolder

  static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()

  /// The command lies beside the bundle of tests.
  private static let martlet = URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent()
    .appending(path: "martlet")

  init() throws {
    let files = FileManager.default
    try #require(files.isExecutableFile(atPath: Self.martlet.path), "\(Self.martlet.path) is not built")
    folder = try TestFolder()
    try files.createDirectory(at: tools, withIntermediateDirectories: true)
    try files.createSymbolicLink(at: tools.appending(path: "martlet"), withDestinationURL: Self.martlet)
    if let cc = Self.found("cc") ?? Self.found("clang-22") {
      try files.createSymbolicLink(at: tools.appending(path: "cc"), withDestinationURL: cc)
    }
    try files.copyItem(at: Self.root.appending(path: "Examples/digits"), to: work)
  }

  private var tools: URL { URL(filePath: folder["bin"]) }
  private var work: URL { URL(filePath: folder["digits"]) }

  private static func found(_ program: String) -> URL? {
    let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
    return path.split(separator: ":").map { URL(filePath: String($0)).appending(path: program) }
      .first { FileManager.default.isExecutableFile(atPath: $0.path) }
  }

  /// The lines that a command prints, as a terminal would show them.
  func run(_ command: String) throws -> [String] {
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    // A command that hangs must not hang the tests.
    process.arguments = ["timeout", "300", "/bin/sh", "-c", "(\(command)\n) 2>&1"]
    process.currentDirectoryURL = work
    var environment = ProcessInfo.processInfo.environment
    environment["PATH"] = "\(tools.path):\(environment["PATH"] ?? "")"
    // A cache of its own, so that nothing depends on earlier runs.
    environment["XDG_CACHE_HOME"] = folder["cache"]
    environment["LC_ALL"] = "C"
    process.environment = environment
    let output = Pipe()
    process.standardOutput = output
    try process.run()
    let bytes = try output.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    var lines = String(decoding: bytes, as: UTF8.self).components(separatedBy: "\n").map { line in
      String(line.reversed().drop { $0 == " " }.reversed())
    }
    if lines.last == "" { lines.removeLast() }
    if process.terminationStatus != 0 { lines.append("[exit \(process.terminationStatus)]") }
    return lines
  }
}
