import Foundation

/// A file of a module: its lines and what it imports.
struct SourceFile {
  /// From the root of the repository.
  var path: String
  var lineCount: Int
  var imports: Set<String>

  /// All files below a folder that someone wrote: Swift and C.
  static func all(below folder: String) -> [SourceFile] {
    let root = PackageDescription.root.appending(path: folder)
    let files = FileManager.default.enumerator(at: root, includingPropertiesForKeys: nil)?.allObjects as? [URL] ?? []
    return files.filter { ["swift", "c", "h"].contains($0.pathExtension) }.compactMap { file in
      guard let text = try? String(contentsOf: file, encoding: .utf8) else { return nil }
      let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
      let path = folder + file.path.dropFirst(root.path.count)
      return SourceFile(
        path: path, lineCount: lines.count - 1,
        imports: file.pathExtension == "swift" ? Set(code(lines).compactMap(importedModule)) : [])
    }
    .sorted { $0.path < $1.path }
  }

  /// The lines outside of text literals, which may hold programs of other languages.
  private static func code(_ lines: [Substring]) -> [Substring] {
    var isText = false
    return lines.filter { line in
      let delimiters = line.split(separator: "\"\"\"", omittingEmptySubsequences: false).count - 1
      defer { if delimiters % 2 == 1 { isText.toggle() } }
      return !isText
    }
  }

  /// `Glibc` of `public import Glibc`, `IR` of `import struct IR.Dim`.
  static func importedModule(_ line: Substring) -> String? {
    let words = line.split(separator: " ")
    guard let keyword = words.firstIndex(of: "import"),
      words[..<keyword].allSatisfy({ $0.hasPrefix("@") || accessLevels.contains($0) })
    else { return nil }
    let kinds: Set<Substring> = ["struct", "class", "enum", "protocol", "func", "var", "let", "typealias"]
    let name = words[(keyword + 1)...].first { !kinds.contains($0) }
    return name?.split(separator: ".").first.map(String.init)
  }

  private static let accessLevels: Set<Substring> = ["public", "package", "internal", "fileprivate", "private"]
}
