import Support

extension ONNXModel {
  /// Writes the model with its weights in a second file beside it, `<name>.data`, which may be of any
  /// size. Tensors below `threshold` bytes stay inside, where tools that infer shapes look for them.
  public func writeWithExternalData(to path: String, threshold: Int = 1024) throws(Diagnostic) {
    let name = (path.lastIndex(of: "/").map { path[path.index(after: $0)...] } ?? path[...]) + ".data"
    let data = try AtomicFile(path: path + ".data")
    let model = try mapTensors { (tensor) throws(Diagnostic) in
      guard tensor.elementType != .string else { return tensor }
      let bytes = try tensor.bytes()
      guard bytes.count >= threshold else { return tensor.holding(bytes) }
      // Large tensors can then be mapped on their own.
      try data.align(to: bytes.count >= 1 << 16 ? 4096 : 64)
      let offset = data.position
      try data.write(bytes)
      var moved = tensor.holding(.empty)
      moved.wire = ProtobufWire()
      moved.rawLocation = 1
      moved.externalData = [
        ONNXStringEntry("location", String(name)), ONNXStringEntry("offset", "\(offset)"),
        ONNXStringEntry("length", "\(bytes.count)"),
      ]
      return moved
    }
    let output = try model.encodedForFile(at: path)
    try data.commit()
    try output.write(to: path)
  }

  /// The model with all external data inside, so that it can be written anywhere.
  public func embeddingExternalData() throws(Diagnostic) -> ONNXModel {
    try mapTensors { (tensor) throws(Diagnostic) in
      guard tensor.isExternal else { return tensor }
      return tensor.holding(try tensor.bytes())
    }
  }

  private func mapTensors(
    _ change: (ONNXTensor) throws(Diagnostic) -> ONNXTensor
  ) throws(Diagnostic) -> ONNXModel {
    var model = self
    var graph = model.graph
    try graph.mapTensors(change)
    model.graph = graph
    for index in model.functions.indices { try model.functions[index].nodes.mapTensors(change) }
    return model
  }
}

extension ONNXTensor {
  /// The same tensor with its elements as raw data, whatever form they had.
  fileprivate func holding(_ bytes: ByteView) -> ONNXTensor {
    var tensor = ONNXTensor()
    tensor.name = name
    tensor.dims = dims
    tensor.rawType = rawType
    tensor.documentation = documentation
    tensor.metadata = metadata
    tensor.file = file
    tensor.rawData = bytes
    tensor.wire.mark(9)
    return tensor
  }
}

extension ONNXGraph {
  fileprivate mutating func mapTensors(
    _ change: (ONNXTensor) throws(Diagnostic) -> ONNXTensor
  ) throws(Diagnostic) {
    for index in initializers.indices { initializers[index] = try change(initializers[index]) }
    for index in sparseInitializers.indices { try sparseInitializers[index].mapTensors(change) }
    try nodes.mapTensors(change)
  }
}

extension ONNXSparseTensor {
  fileprivate mutating func mapTensors(
    _ change: (ONNXTensor) throws(Diagnostic) -> ONNXTensor
  ) throws(Diagnostic) {
    if let inner = values { values = try change(inner) }
    if let inner = indices { indices = try change(inner) }
  }
}

extension [ONNXNode] {
  fileprivate mutating func mapTensors(
    _ change: (ONNXTensor) throws(Diagnostic) -> ONNXTensor
  ) throws(Diagnostic) {
    for node in indices {
      for index in self[node].attributes.indices { try self[node].attributes[index].mapTensors(change) }
    }
  }
}

extension ONNXAttribute {
  fileprivate mutating func mapTensors(
    _ change: (ONNXTensor) throws(Diagnostic) -> ONNXTensor
  ) throws(Diagnostic) {
    if let inner = tensor { tensor = try change(inner) }
    for index in tensors.indices { tensors[index] = try change(tensors[index]) }
    if var inner = sparseTensor {
      try inner.mapTensors(change)
      sparseTensor = inner
    }
    for index in sparseTensors.indices { try sparseTensors[index].mapTensors(change) }
    if var inner = graph {
      try inner.mapTensors(change)
      graph = inner
    }
    for index in graphs.indices { try graphs[index].mapTensors(change) }
  }
}
