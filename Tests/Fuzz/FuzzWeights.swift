import Formats
import Support

/// Any bytes are either refused by a diagnostic, or weights that lie inside the file.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzWeights(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  let bytes = ByteView(copying: UnsafeRawBufferPointer(start: start, count: count))
  if let file = try? WeightsFile.decode(bytes, name: "fuzz") {
    for entry in file.entries { try? file.verify(entry) }
  }
  _ = try? JSON.parse(bytes.bytes)
  return 0
}
