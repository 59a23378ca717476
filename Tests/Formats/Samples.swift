import Foundation
import Support

/// The files under `Samples`, made by `make_samples.py` there.
enum Samples {
  static let folder: String = {
    let file: String = #filePath
    return String(file[..<(file.lastIndex(of: "/") ?? file.endIndex)]) + "/Samples/"
  }()

  static func path(_ name: String) -> String { folder + name }

  static func bytes(_ name: String) throws -> [UInt8] {
    try MappedFile(path: path(name)).view.bytes
  }
}
