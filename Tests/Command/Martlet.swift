import Foundation
import Support

/// The command as a shell sees it.
enum Martlet {
  /// SwiftPM builds it beside the bundle of tests.
  static let folder = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()
  static let path = folder.appendingPathComponent("martlet").path
  /// The cache of whoever runs the tests is none of theirs.
  static let cache = folder.appendingPathComponent("test-cache").path
  static let here = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
  static let digits = here.deletingLastPathComponent().deletingLastPathComponent()
    .appendingPathComponent("Examples/digits/digits.onnx").path

  struct Outcome {
    var status: Int32
    var output: String
    var errors: String
    var json: JSON { get throws { try JSON.parse(Array(output.utf8), file: "output") } }
    /// One line, and no more.
    var isOneLine: Bool { errors.split(separator: "\n", omittingEmptySubsequences: false).count == 2 }
  }

  static func start(_ program: String, _ arguments: [String], _ environment: [String: String]) throws -> (
    Process, Pipe, Pipe
  ) {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: program)
    process.arguments = arguments
    process.environment = ProcessInfo.processInfo.environment
      .merging(["XDG_CACHE_HOME": cache]) { $1 }.merging(environment) { $1 }
    let output = Pipe()
    let errors = Pipe()
    process.standardOutput = output
    process.standardError = errors
    try process.run()
    return (process, output, errors)
  }

  static func run(_ program: String, _ arguments: [String], environment: [String: String] = [:]) throws -> Outcome {
    let (process, output, errors) = try start(program, arguments, environment)
    // Little is written to the error stream: reading one after the other cannot block.
    let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    let problems = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    return Outcome(status: process.terminationStatus, output: text, errors: problems)
  }

  static func run(_ arguments: String..., environment: [String: String] = [:]) throws -> Outcome {
    try run(path, arguments, environment: environment)
  }
}

/// Small models.
enum Model {
  static let dense = """
    module @dense {
      symbol n in 1...64
      entry @main(%x: f32[n, 24], %w: f32[24, 10]) -> (%y: f32[n, 10], %"a/z": f32[n, 10]) {
        %0 = matmul %x, %w : _ loc "src:dense"
        %1 = relu %0 : _ loc "src:relu"
        %2 = neg %1 : _ loc "src:neg"
        return %1, %2
      }
    }
    """

  /// Two entries with inputs of the same names.
  static let stages = """
    module @stages {
      symbol n in 1...64
      symbol p in 1...8
      entry @prompt(%x: f32[n, 4], %rate: f32[p]) -> (%y: f32[n, 4]) {
        %0 = neg %x : _
        return %0
      }
      entry @step(%x: f32[1, 4], %rate: f32[p]) -> (%y: f32[1, 4]) {
        %0 = abs %x : _
        return %0
      }
    }
    """

  static let lookup = """
    module @lookup {
      entry @main(%table: f32[7, 3], %rows: i64[40]) -> (%y: f32[40, 3]) {
        %0 = gather %table, %rows {axis = 0} : _
        return %0
      }
    }
    """

  /// Many matrices of unlike sizes, so that compiling takes a while.
  static func slow(_ count: Int) -> String {
    var inputs: [String] = []
    var ops: [String] = []
    var results: [String] = []
    for number in 0..<count {
      let (rows, depth, columns) = (30 + number, 40 + 3 * number, 50 + 7 * number)
      inputs += ["%a\(number): f32[\(rows), \(depth)]", "%b\(number): f32[\(depth), \(columns)]"]
      ops.append("    %\(number) = matmul %a\(number), %b\(number) : f32[\(rows), \(columns)]")
      results.append("%y\(number): f32[\(rows), \(columns)]")
    }
    let yields = (0..<count).map { "%\($0)" }.joined(separator: ", ")
    return """
      module @slow {
        entry @main(\(inputs.joined(separator: ", "))) -> (\(results.joined(separator: ", "))) {
      \(ops.joined(separator: "\n"))
          return \(yields)
        }
      }
      """
  }
}
