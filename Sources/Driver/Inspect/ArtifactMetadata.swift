import Formats
import Glibc
import Support

/// What an artifact of any kind and for any machine says about itself: the JSON text that lies in its constants.
///
/// It is searched for, and nothing of the artifact is run.
enum ArtifactMetadata {
  private static let mark = Array("\"compiler\": \"martlet ".utf8)
  private static let start = Array("{\"name\": ".utf8)
  /// Metadata is text about inputs and outputs; what is larger is none.
  private static let limit = 16 << 20

  /// The metadata of all models in the file, in the order they are found.
  static func read(_ path: String) throws(Diagnostic) -> [JSON] {
    let file = try MappedFile(path: path)
    var result: [JSON] = []
    for text in texts(file.view) {
      guard let json = try? JSON.parse(text, file: path), !result.contains(json) else { continue }
      result.append(json)
    }
    guard !result.isEmpty else {
      throw .invalid("it is no model that Martlet compiled", at: Location(file: path))
    }
    return result
  }

  private static func texts(_ view: ByteView) -> [[UInt8]] {
    view.withBytes { bytes in
      var found: [[UInt8]] = []
      var from = 0
      while let place = find(mark, in: bytes, from: from) {
        from = place + mark.count
        var low = place
        while low > 0, bytes[low - 1] != 0, place - low < limit { low -= 1 }
        var high = place
        while high < bytes.count, bytes[high] != 0, high - place < limit { high += 1 }
        // Objects put other constants right before it.
        let text = UnsafeRawBufferPointer(rebasing: bytes[low..<high])
        if let begin = find(start, in: text, from: 0) { found.append(Array(text[begin...])) }
      }
      return found
    }
  }

  private static func find(_ needle: [UInt8], in bytes: UnsafeRawBufferPointer, from: Int) -> Int? {
    guard let base = bytes.baseAddress else { return nil }
    var place = from
    while place + needle.count <= bytes.count,
      let hit = memchr(base + place, Int32(needle[0]), bytes.count - place - needle.count + 1)
    {
      if memcmp(hit, needle, needle.count) == 0 { return UnsafeRawPointer(hit) - base }
      place = UnsafeRawPointer(hit) - base + 1
    }
    return nil
  }
}
