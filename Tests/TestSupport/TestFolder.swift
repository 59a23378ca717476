import FoundationEssentials

/// A folder of its own for a test, gone with the last reference.
public final class TestFolder: Sendable {
  public let path: String

  public init() throws {
    let files = FileManager.default
    path = files.temporaryDirectory.appending(path: "martlet-test-\(UUID().uuidString)").path
    try files.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  /// The path of a file in it.
  public subscript(_ name: String) -> String { "\(path)/\(name)" }

  public func read(_ name: String) throws -> Data { try Data(contentsOf: URL(filePath: self[name])) }

  /// Writes a file; its path.
  public func write(_ text: String, to name: String) throws -> String {
    try Data(text.utf8).write(to: URL(filePath: self[name]))
    return self[name]
  }

  /// The files in it.
  public var names: [String] { get throws { try FileManager.default.contentsOfDirectory(atPath: path).sorted() } }
}
