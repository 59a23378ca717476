@testable import Driver
import Foundation
import IR
import Passes
import Support
import Targets
import TestSupport

/// A module compiled for another machine, whose entries run in an emulator: all requests in one go.
struct EmulatedModule {
  struct Request {
    var entry: Int
    /// Whether state starts over.
    var isFresh: Bool
    var inputs: [Value]
  }

  typealias Answer = Result<[Tensor], ModelFailure>

  private let program: String
  private let folder: TestFolder
  private let emulator: Emulator

  /// Throws `Emulator.Missing` where there is no emulator or no C library for the machine.
  init(_ module: Module, target: String, from phase: Phase = .imported) throws {
    let profile = try Profile.named(target)
    emulator = try Emulator(for: profile)
    folder = try TestFolder()
    program = folder["runner"]
    try CompiledModule.build(module, .static, target: target, name: "m", to: folder["m.a"], from: phase)
    let source = TestPaths.here.appendingPathComponent("runner.c").path
    try Emulator.link(profile, ["-I", folder.path, source, folder["m.a"], "-o", program])
  }

  func run(_ requests: [Request]) throws -> [Answer] {
    var words = Words()
    words.put(requests.count)
    for request in requests {
      words.put(request.entry)
      words.put(request.isFresh ? 1 : 0)
      words.put(request.inputs.count)
      for input in request.inputs {
        guard let tensor = input.tensor, let storage = tensor.storage else { throw Diagnostic.bug("no plain input") }
        words.put(Int(ModelTypes.code(storage)))
        words.put(tensor.shape.count)
        for extent in tensor.shape { words.put(extent) }
        words.put(bytes: tensor.bytes.bytes)
      }
    }
    try Data(words.bytes).write(to: URL(filePath: folder["requests"]))
    try emulator.run(program, ["requests", "answers"], in: folder.path)
    var answers = WordReader([UInt8](try Data(contentsOf: URL(filePath: folder["answers"]))))
    return requests.map { _ in
      let status = answers.take()
      let message = String(decoding: answers.takeBytes(), as: UTF8.self)
      var outputs: [Tensor] = []
      for _ in 0..<answers.take() {
        let type = answers.take()
        let shape = (0..<answers.take()).map { _ in answers.take() }
        guard let element = ModelTypes.element(Int32(type)),
          let tensor = try? Tensor(
            element: .plain(element), shape: shape, bytes: ByteView(copying: answers.takeBytes()))
        else { continue }
        outputs.append(tensor)
      }
      return status == 0 ? .success(outputs) : .failure(ModelFailure(status: Int32(status), message: message))
    }
  }
}

/// 64-bit words and padded bytes, as `runner.c` reads them.
private struct Words {
  var bytes: [UInt8] = []

  mutating func put(_ value: Int) { withUnsafeBytes(of: Int64(value).littleEndian) { bytes += $0 } }
  mutating func put(bytes data: [UInt8]) {
    put(data.count)
    bytes += data
    while bytes.count % 8 != 0 { bytes.append(0) }
  }
}

private struct WordReader {
  private let bytes: [UInt8]
  private var position = 0

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  mutating func take() -> Int {
    guard position + 8 <= bytes.count else { return -1 }
    defer { position += 8 }
    return bytes.withUnsafeBytes {
      Int(Int64(littleEndian: $0.loadUnaligned(fromByteOffset: position, as: Int64.self)))
    }
  }
  mutating func takeBytes() -> [UInt8] {
    let count = max(0, take())
    guard position + count <= bytes.count else { return [] }
    defer { position += (count + 7) / 8 * 8 }
    return Array(bytes[position..<position + count])
  }
}

enum TestPaths {
  static let here = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
  static let root = here.deletingLastPathComponent().deletingLastPathComponent()

  static let digits = root.appendingPathComponent("Examples/digits/digits.onnx").path

  static func path(of model: String) -> String { here.appendingPathComponent("Models/\(model).mir").path }

  static func model(_ name: String) throws -> Module {
    let path = path(of: name)
    return try ModuleParser.parse(bytes: [UInt8](try Data(contentsOf: URL(fileURLWithPath: path))), file: path)
  }
}

/// Runs a program and fails with what it says.
enum TestTool {
  /// The command, which SwiftPM builds beside the bundle of tests.
  static let martlet = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()
    .appendingPathComponent("martlet").path

  @discardableResult
  static func run(
    _ tool: String, _ arguments: [String], in folder: String? = nil, environment: [String: String] = [:]
  ) throws -> String {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = [tool] + arguments
    process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
    if let folder { process.currentDirectoryURL = URL(fileURLWithPath: folder) }
    let output = Pipe()
    process.standardOutput = output
    process.standardError = output
    try process.run()
    let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    guard process.terminationStatus == 0 else {
      throw Diagnostic.bug(
        "\(tool) \(arguments.joined(separator: " ")) ends with \(process.terminationStatus): \(text)")
    }
    return text
  }
}
