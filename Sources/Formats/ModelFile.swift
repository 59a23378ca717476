import Glibc
import Support
import Synchronization

/// The file a model was read from, and the way to the files beside it.
///
/// A model may keep its weights in other files. Those must lie inside the model's own
/// folder: a model from a stranger must not be able to read anything else.
public final class ModelFile: Sendable {
  public let path: String
  private let mapped = Mutex<[String: MappedFile]>([:])

  public init(path: String) { self.path = path }

  /// The folder of the model, "." for the current one.
  public var folder: String {
    guard let slash = path.lastIndex(of: "/") else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }

  /// The files beside it that were read so far.
  public var siblings: [String] { mapped.withLock { files in files.values.map(\.path).sorted() } }

  /// Maps the file that the model calls `name`. Each file is mapped once.
  public func sibling(_ name: String, at location: Location) throws(Diagnostic) -> MappedFile {
    if let known = mapped.withLock({ $0[name] }) { return known }
    let target = try resolve(name, at: location)
    let file = try MappedFile(path: target)
    mapped.withLock { $0[name] = file }
    return file
  }

  private func resolve(_ name: String, at location: Location) throws(Diagnostic) -> String {
    guard !name.isEmpty, !name.utf8.contains(0) else {
      throw .invalid("the name of the external file is not usable", at: location)
    }
    guard !name.hasPrefix("/") else {
      throw .invalid("external file \"\(name)\" is an absolute path", at: location, hint: ModelFile.rule)
    }
    guard !name.split(separator: "/").contains("..") else {
      throw .invalid("external file \"\(name)\" leaves the model's folder", at: location, hint: ModelFile.rule)
    }
    guard let root = ModelFile.real(folder) else {
      throw .invalid("the model's folder cannot be found: \(systemErrorText())", at: location)
    }
    guard let target = ModelFile.real(folder + "/" + name) else {
      throw .invalid("external file \"\(name)\" cannot be opened: \(systemErrorText())", at: location)
    }
    let prefix = root.hasSuffix("/") ? root : root + "/"
    guard target.hasPrefix(prefix) else {
      throw .invalid(
        "external file \"\(name)\" is a link out of the model's folder", at: location, hint: ModelFile.rule)
    }
    return target
  }

  private static let rule = "external data must lie in the folder of the model"

  private static func real(_ path: String) -> String? {
    guard let resolved = realpath(path, nil) else { return nil }
    defer { free(resolved) }
    return String(cString: resolved)
  }
}
