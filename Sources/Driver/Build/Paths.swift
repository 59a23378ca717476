import Glibc
import Support

/// Paths as text.
enum Paths {
  static func lastComponent(_ path: String) -> String { String(path.split(separator: "/").last ?? "") }

  static func folder(_ path: String) -> String {
    guard let slash = path.lastIndex(of: "/") else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }

  /// The suffix behind the last dot of the last component, in lower case; empty where there is none.
  static func suffix(_ path: String) -> String {
    let name = lastComponent(path)
    guard let dot = name.lastIndex(of: "."), dot != name.startIndex else { return "" }
    return name[name.index(after: dot)...].lowercased()
  }

  static func stem(_ path: String) -> String {
    let name = lastComponent(path)
    guard let dot = name.lastIndex(of: "."), dot != name.startIndex else { return name }
    return String(name[..<dot])
  }

  static func replacingExtension(of path: String, with suffix: String) -> String {
    let folder = path.contains("/") ? self.folder(path) + "/" : ""
    return "\(folder)\(stem(path)).\(suffix)"
  }

  static func absolute(_ path: String) -> String {
    if path.hasPrefix("/") { return path }
    guard let current = getcwd(nil, 0) else { return path }
    defer { free(current) }
    return String(cString: current) + "/" + path
  }

  static func checkWritable(_ path: String) throws(Diagnostic) {
    let folder = self.folder(path)
    var status = stat()
    guard stat(folder, &status) == 0 else {
      throw .invalid("cannot write \(path): there is no folder \(folder)")
    }
    guard status.st_mode & S_IFMT == S_IFDIR else {
      throw .invalid("cannot write \(path): \(folder) is no folder")
    }
    if stat(path, &status) == 0, status.st_mode & S_IFMT != S_IFREG {
      // What replaces it would be a file: nobody wants that of a device.
      let isFolder = status.st_mode & S_IFMT == S_IFDIR
      throw .invalid("cannot write \(path): it is \(isFolder ? "a folder" : "no regular file")")
    }
    // Permissions do not tell the whole truth: a file system may refuse, or the user may be allowed everything.
    let trial = AsideFile(for: path)
    defer { trial.discard() }
    let descriptor = open(trial.path, O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else {
      throw .invalid("cannot write \(path): \(systemErrorText())")
    }
    close(descriptor)
  }

  static func makeFolder(_ path: String) throws(Diagnostic) {
    var partial = path.hasPrefix("/") ? "" : "."
    for component in path.split(separator: "/") {
      partial += "/" + component
      if mkdir(partial, 0o777) != 0, errno != EEXIST {
        throw .invalid("cannot make the folder \(path): \(systemErrorText())")
      }
    }
  }

  static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }
}
