import Foundation
import TestSupport
import Testing

/// The package as SwiftPM sees it.
struct PackageDescription: Decodable {
  struct Target: Decodable {
    var name: String
    var type: String
    var path: String
    var dependencies: Set<String>
    var isTest: Bool { type == "test" }

    private enum Key: String, CodingKey {
      case name, type, path
      case dependencies = "target_dependencies"
    }

    init(from decoder: Decoder) throws {
      let values = try decoder.container(keyedBy: Key.self)
      name = try values.decode(String.self, forKey: .name)
      type = try values.decode(String.self, forKey: .type)
      path = try values.decode(String.self, forKey: .path)
      dependencies = Set(try values.decodeIfPresent([String].self, forKey: .dependencies) ?? [])
    }
  }

  var targets: [Target]

  static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()

  /// Asks `swift package describe` once for all tests.
  static let current = Result { try describe() }

  private static func describe() throws -> PackageDescription {
    // A scratch folder of its own: the one of the running tests may be locked.
    let scratch = try TestFolder()
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = [
      // SwiftPM compiles the manifest within seconds; one that hangs must not hang the tests.
      "timeout", "120", "swift", "package", "--package-path", root.path, "--scratch-path", scratch["build"], "describe",
      "--type", "json",
    ]
    // All modules, even where the tests run without those of LLVM. SwiftPM leaves locks and folders in the temporary
    // folder: in this one they go with it.
    process.environment = ProcessInfo.processInfo.environment
      .merging(["MARTLET_LLVM": "1", "TMPDIR": scratch.path]) { $1 }
    let output = Pipe()
    process.standardOutput = output
    process.standardError = FileHandle.nullDevice
    try process.run()
    let bytes = try output.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    try #require(process.terminationStatus == 0, "swift package describe failed")
    return try JSONDecoder().decode(PackageDescription.self, from: bytes)
  }
}
