import CData
import Support

/// The runtime's files, which the command carries.
enum RuntimeFiles {
  struct File {
    var name: String
    var bytes: UnsafeRawBufferPointer

    var text: String { String(decoding: bytes, as: UTF8.self) }
  }

  static var all: [File] {
    (0..<cdata_runtime_file_count()).map { index in
      let file = cdata_runtime_file(index)
      return File(
        name: String(cString: file.name), bytes: UnsafeRawBufferPointer(start: file.text, count: file.length))
    }
  }

  static func text(of name: String) -> String { all.first { $0.name == name }?.text ?? "" }

  /// What a model's tables need of the runtime, without files to include.
  static let declarations =
    text(of: "martlet.h") + text(of: "runtime.h").replacing("#include \"martlet.h\"\n", with: "")
}
