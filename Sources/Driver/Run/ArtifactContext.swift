import CMartlet
import Glibc
import IR
import Support

/// A created instance of a loaded model: its threads, state and workspace.
final class ArtifactContext {
  let artifact: LoadedArtifact
  private let context: OpaquePointer
  private var model: UnsafePointer<martlet_model> { artifact.model }

  /// `threads` 0 stands for as many as the artifact and the machine allow.
  init(_ artifact: LoadedArtifact, threads: Int = 0) throws(Diagnostic) {
    self.artifact = artifact
    var options = martlet_options()
    options.struct_size = UInt32(MemoryLayout<martlet_options>.size)
    options.threads = Int32(threads)
    var message = [CChar](repeating: 0, count: 512)
    var created: OpaquePointer?
    let weights = Paths.replacingExtension(of: artifact.path, with: "weights")
    let status = message.withUnsafeMutableBufferPointer { buffer in
      options.message = buffer.baseAddress
      options.message_capacity = Int64(buffer.count)
      guard Paths.exists(weights) else { return artifact.model.pointee.create(&options, &created) }
      return weights.withCString { path in
        options.weights_path = path
        return artifact.model.pointee.create(&options, &created)
      }
    }
    guard status == MARTLET_OK, let created else {
      let text = String(decoding: message.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
      throw ArtifactContext.failure(artifact, status, text)
    }
    context = created
  }

  deinit { model.pointee.destroy(context) }

  var threads: Int { Int(model.pointee.thread_count(context)) }
  var workspaceBytes: Int { Int(model.pointee.workspace_bytes(context)) }

  /// Puts state back to what it was at first.
  func reset() throws(Diagnostic) {
    let status = model.pointee.reset(context)
    guard status == MARTLET_OK else { throw failure(status) }
  }

  /// One of the counts of an artifact that was compiled with `--profile`.
  func count(_ number: Int, of profile: UnsafePointer<martlet_profile>) -> martlet_step_count {
    guard let counts = profile.pointee.counts(context) else { return martlet_step_count() }
    return (UnsafeRawPointer(counts) + number * Int(profile.pointee.count_size)).load(as: martlet_step_count.self)
  }

  /// Sets all counts to zero; false while something runs.
  func clear(_ profile: UnsafePointer<martlet_profile>) -> Bool { profile.pointee.clear(context) == MARTLET_OK }

  /// One run, with the results copied out of the workspace.
  func run(entry: Int, _ inputs: [Value]) throws(Diagnostic) -> [Value] {
    let call = try ArtifactCall(self, entry: entry, inputs)
    try call.run()
    return try call.results()
  }

  fileprivate func call(
    _ entry: Int, _ inputs: UnsafePointer<martlet_tensor>, _ outputs: UnsafeMutablePointer<martlet_tensor>
  ) throws(Diagnostic) {
    let status = martlet_call(artifact.model, Int32(entry), context, inputs, outputs)
    guard status == MARTLET_OK else { throw failure(status) }
  }

  private func failure(_ status: martlet_status) -> Diagnostic {
    let message = model.pointee.last_error(context).map { String(cString: $0) } ?? ""
    return ArtifactContext.failure(artifact, status, message)
  }

  private static func failure(_ artifact: LoadedArtifact, _ status: martlet_status, _ message: String) -> Diagnostic {
    let text =
      message.isEmpty
      ? artifact.model.pointee.status_text(status).map { String(cString: $0) } ?? "status \(status)" : message
    switch Int(status) {
    case MARTLET_UNSUPPORTED_CPU: return .unsupported(text)
    case MARTLET_INTERNAL: return .bug(text)
    default: return .invalid(text)
    }
  }
}

/// The descriptors of one call, which may run again and again.
final class ArtifactCall {
  private let context: ArtifactContext
  private let entry: Int
  private let memory = DescriptorMemory()
  private let inputs: UnsafeMutablePointer<martlet_tensor>
  private let outputs: UnsafeMutablePointer<martlet_tensor>
  private let signature: EntrySignature

  init(_ context: ArtifactContext, entry: Int, _ values: [Value]) throws(Diagnostic) {
    self.context = context
    self.entry = entry
    signature = context.artifact.entries[entry]
    guard values.count == signature.inputs.count else {
      throw .bug("\(values.count) inputs for entry \(signature.name)")
    }
    for port in signature.inputs { try port.requirePassable("input") }
    for port in signature.outputs { try port.requirePassable("output") }
    inputs = memory.tensors(values.count)
    outputs = memory.tensors(signature.outputs.count)
    for (number, value) in values.enumerated() { inputs[number] = memory.describe(value) }
    for number in signature.outputs.indices { outputs[number].dims = memory.extents([Int](repeating: 0, count: 16)) }
  }

  func run() throws(Diagnostic) { try context.call(entry, inputs, outputs) }

  /// Copies of the results of the last run.
  func results() throws(Diagnostic) -> [Value] {
    var result: [Value] = []
    for (number, port) in signature.outputs.enumerated() {
      result.append(try DescriptorMemory.value(outputs[number], as: port.list, "output \(port.name)"))
    }
    return result
  }
}
