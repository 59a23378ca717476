import IR
import Support

/// Reads any bytes as `.mir`. What parses must verify, print, and read back as the same module.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzMIR(_ data: UnsafePointer<UInt8>, _ size: Int) -> CInt {
  let bytes = Array(UnsafeBufferPointer(start: data, count: size))
  // A small allowance: the fuzzer runs under a memory limit.
  let weights = ShapeOnlyWeights(limit: 1 << 16)
  guard let module = try? ModuleParser.parse(bytes: bytes, file: "fuzz.mir", weights: weights) else { return 0 }
  do throws(Diagnostic) { try Verifier.verify(module) } catch { fatalError("parsed, but does not verify: \(error)") }
  let text = module.text()
  do throws(Diagnostic) {
    let again = try ModuleParser.parse(text, file: "printed.mir", weights: weights)
    guard again.text() == text else { fatalError("reads back as another module:\n\(text)\n\(again.text())") }
    guard again.structuralHash == module.structuralHash else { fatalError("reads back with another hash:\n\(text)") }
  } catch {
    fatalError("does not read back: \(error)\n\(text)")
  }
  return 0
}
