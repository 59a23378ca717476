import Emit
import Formats
import Frontends
import IR
import Support

/// Any bytes are either refused by a diagnostic, or a model that can be used and written,
/// and that does not change when it is read and written again. What the frontend takes of it is a graph that
/// the verifier accepts, and what is written of that can be read and taken again.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzONNX(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  let bytes = ByteView(copying: UnsafeRawBufferPointer(start: start, count: count))
  guard let model = try? ONNXModel.decode(bytes, name: "fuzz") else { return 0 }
  visit(model.graph)
  for function in model.functions { function.nodes.forEach(visit) }

  let once = model.encode()
  guard let again = try? ONNXModel.decode(ByteView(copying: once), name: "again") else {
    fatalError("what was written is refused")
  }
  if again.encode() != once { fatalError("writing is not stable") }

  guard let (module, _) = try? ONNXFrontend.read(model, file: "fuzz") else { return 0 }
  do throws(Diagnostic) { try Verifier.verify(module) } catch {
    if error.kind == .internal { fatalError("the verifier: \(error)") }
    return 0
  }
  guard let written = try? ONNXEmitter.model(of: module, producer: "fuzz", version: "") else { return 0 }
  do throws(Diagnostic) {
    let file = try ONNXModel.decode(ByteView(copying: written.encode()), name: "written")
    _ = try ONNXFrontend.read(file, file: "written")
  } catch {
    if error.kind == .internal { fatalError("what was written: \(error)") }
  }
  return 0
}

private func visit(_ graph: ONNXGraph) {
  graph.nodes.forEach(visit)
  graph.initializers.forEach(visit)
  for sparse in graph.sparseInitializers {
    if let values = sparse.values { visit(values) }
    if let indices = sparse.indices { visit(indices) }
  }
  for value in graph.inputs + graph.outputs + graph.valueInfo {
    _ = value.type?.tensor?.elementType
    _ = value.type?.sequenceElement?.optionalElement
  }
}

private func visit(_ node: ONNXNode) {
  for attribute in node.attributes {
    _ = attribute.kind
    _ = attribute.string
    _ = attribute.strings
    if let tensor = attribute.tensor { visit(tensor) }
    if let graph = attribute.graph { visit(graph) }
    attribute.tensors.forEach(visit)
    attribute.graphs.forEach(visit)
  }
}

private func visit(_ tensor: ONNXTensor) {
  if let bytes = try? tensor.bytes() {
    let expected = tensor.elementType.flatMap { type in (try? tensor.elementCount()).flatMap { type.bytes(for: $0) } }
    if bytes.count != expected { fatalError("a tensor of the wrong size") }
    // Touches every byte.
    _ = ContentHash.of(bytes)
  }
  _ = try? tensor.strings()
}
