import Passes
import Support

extension CompileOptions {
  /// Options as a program gives them: a JSON object with the names of `compile`'s options, all of them optional.
  ///
  ///     {"target": "host", "shape": {"image": [1, 3, 224, 224]}, "threads": 2, "profile": true, "cache_dir": null}
  ///
  /// Without `cache_dir` the usual folder is used; null keeps nothing.
  init(json text: String) throws(Diagnostic) {
    self.init()
    cacheFolder = CacheFolder.standard
    guard !text.isEmpty else { return }
    let value: JSON
    do throws(Diagnostic) { value = try JSON.parse(Array(text.utf8), file: "options") } catch {
      throw Diagnostic(.usage, error.message, at: error.location, hint: error.hint)
    }
    guard let members = value.members else { throw .usage("options are no JSON object") }
    for member in members { try set(member.key, member.value) }
  }

  private static let keys = [
    "target", "shape", "threads", "weights", "name", "precision", "numerics", "sysroot", "from", "profile", "cache_dir",
  ]

  private mutating func set(_ key: String, _ value: JSON) throws(Diagnostic) {
    func text() throws(Diagnostic) -> String {
      guard let text = value.string else { throw .usage("option \(key) wants a text") }
      return text
    }
    switch key {
    case "target": target = try text()
    case "sysroot": sysroot = try text()
    case "from": from = try CompileCommand.phase(try text()) ?? .imported
    case "profile":
      guard let wish = value.bool else { throw .usage("option profile is true or false") }
      profiles = wish
    case "cache_dir": cacheFolder = value == .null ? nil : try text()
    case "threads":
      guard let threads = value.int, (1...1024).contains(threads) else {
        throw .usage("option threads wants a number from 1 to 1024")
      }
      maximumThreads = threads
    case "weights": weightsInFile = try choice(CompileKeys.Weights.self, key, value) == .file
    case "name": name = try text()
    case "precision": try CompileOptions.require(try choice(CompileKeys.Precision.self, key, value), .strict)
    case "numerics": try CompileOptions.require(.f32, try choice(CompileKeys.Numerics.self, key, value))
    case "shape":
      for member in value.members ?? [] { shapes[member.key] = try CompileOptions.shape(member) }
      guard value.members != nil else { throw .usage("option shape wants an object of lists of extents") }
    default:
      throw .usage("unknown option \(key)", hint: choiceHint(for: key, among: CompileOptions.keys))
    }
  }

  private func choice<Choice: RawRepresentable<String> & CaseIterable>(
    _ type: Choice.Type, _ key: String, _ value: JSON
  ) throws(Diagnostic) -> Choice {
    guard let choice = value.string.flatMap(Choice.init(rawValue:)) else {
      throw .usage("option \(key) is \(Choice.allCases.map(\.rawValue).joined(separator: " or "))")
    }
    return choice
  }

  private static func shape(_ member: JSON.Member) throws(Diagnostic) -> [Int] {
    var shape: [Int] = []
    for extent in member.value.array ?? [.null] {
      guard let extent = extent.int, extent >= 0 else {
        throw .usage("the shape of \(member.key) wants extents of 0 or more")
      }
      shape.append(extent)
    }
    return shape
  }
}
