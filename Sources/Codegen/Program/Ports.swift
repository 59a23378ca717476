import IR
import Support

/// How values come into an entry and leave it.
extension ProgramBuilder {
  /// Memory for an input. Texts and members of lists are not looked at where the caller has them, but through addresses
  /// and records that the first steps make.
  func receive(_ argument: ValueID, input number: Int, name: String) throws(Diagnostic) -> Port {
    var port = Port(name: name, value: function.type(argument), buffer: BufferID(0))
    port.buffer = addBuffer(label(argument), bytes: try bytes(of: port.memory), .input(number))
    let site = "input \"\(name)\""
    if let type = port.value.tensor {
      guard type.plain == .string else {
        bind(argument, to: port.buffer)
        return port
      }
      call(
        .stringImport, [.init(port.buffer, .read), .init(try allocate(for: argument), .write)], [type.elementCount],
        at: site)
    } else {
      call(.listImport, [.init(try allocate(for: argument), .write)], [Dim(number)], at: site)
    }
    return port
  }

  func addOutput(_ value: ValueID, _ number: Int, name: String) throws(Diagnostic) -> Port {
    var port = Port(name: name, value: function.type(value), buffer: BufferID(0))
    port.buffer = addBuffer(name, bytes: try bytes(of: port.memory), .output(number))
    return port
  }

  /// Makes a result end up in an output: the buffer that holds it becomes the output where that is possible,
  /// otherwise it is copied.
  func deliver(_ value: ValueID, output number: Int, as port: Port) throws(Diagnostic) {
    let source = try buffer(of: value)
    let bytes = buffers[port.buffer.number].bytes
    if let type = port.value.tensor, type.plain == .string {
      let isView = port.isView(inputSymbols)
      let target = isView ? addBuffer("texts of \(label(value))", bytes: bytes, .workspace) : port.buffer
      call(
        .stringExport, [.init(source, .read), .init(target, .write)], [type.elementCount],
        at: "output \"\(port.name)\"")
      if isView { append(.deliver(output: number, from: target, dims: type.shape)) }
    } else if port.isView(inputSymbols) {
      var view = source
      if ![.workspace, .growing].contains(buffers[root(of: source).number].place) {
        // Inputs, weights and other outputs are not for handing out.
        view = addBuffer("copy of \(label(value))", bytes: bytes, .workspace)
        append(.copy(from: source, to: view, bytes: bytes))
      }
      append(.deliver(output: number, from: view, dims: port.shape))
    } else if canBecomeOutput(source, bytes) {
      redirect(source, to: port.buffer)
    } else {
      append(.copy(from: source, to: port.buffer, bytes: bytes))
    }
  }

  /// A workspace buffer of exactly the output's size.
  private func canBecomeOutput(_ buffer: BufferID, _ bytes: Dim) -> Bool {
    buffers[buffer.number].place == .workspace && buffers[buffer.number].bytes == bytes
  }
}

extension Port {
  /// Whether only the run tells how large an output is, which then may be handed out as a view of the workspace.
  func isView(_ inputSymbols: Set<String>) -> Bool {
    value.tensor == nil || !shape.allSatisfy { $0.symbols.isSubset(of: inputSymbols) }
  }
}
