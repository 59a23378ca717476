import Formats
import Support

/// Any bytes are either refused by a diagnostic, or arrays that can be used.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzNumPy(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  let bytes = ByteView(copying: UnsafeRawBufferPointer(start: start, count: count))
  if let array = try? NumPyArray.decode(bytes, name: "fuzz") { use(array) }
  guard let archive = try? NumPyArchive(bytes, name: "fuzz") else { return 0 }
  for name in archive.names {
    if let array = try? archive.array(name) { use(array) }
  }
  return 0
}

private func use(_ array: NumPyArray) {
  _ = ContentHash.of(array.data)
  guard let written = try? array.encode() else { return }
  guard let back = try? NumPyArray.decode(ByteView(copying: written), name: "back") else {
    fatalError("what was written is refused")
  }
  if back != array { fatalError("an array changed") }
}
