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
  evaluate(module)
  return 0
}

/// Runs what is small enough on zeros; it may fail, but not crash.
private func evaluate(_ module: Module) {
  for function in module.functions {
    let types = (0..<function.valueCapacity).map { function.type(ValueID($0)) }
    guard types.allSatisfy({ zeros($0) != nil }) else { continue }
    let evaluator = Evaluator(module)
    evaluator.fuel = 100
    _ = try? evaluator.run(function.name, function[function.body].arguments.compactMap { zeros(function.type($0)) })
  }
}

/// Nil for types that are large or whose size is not known.
private func zeros(_ type: ValueType) -> Value? {
  switch type {
  case .tensor(let type):
    guard type.constantBytes ?? Int.max <= 1 << 14 else { return nil }
    return (try? ShapeOnlyWeights().weight(named: "", type: type)).flatMap { $0 }.map { .tensor($0) }
  case .sequence(let element): return zeros(element).map { .sequence([$0]) }
  case .optional(let element): return zeros(element).map { .optional($0) }
  case .anyTensor(let element): return zeros(.tensor(element, []))
  }
}
