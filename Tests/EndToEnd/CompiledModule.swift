import CMartlet
import Codegen
@testable import Driver
import Foundation
import IR
import Passes
import Support
import TestSupport

/// A module compiled into a shared library and loaded into this process.
final class CompiledModule: @unchecked Sendable {
  let model: UnsafePointer<martlet_model>
  private let handle: UnsafeMutableRawPointer
  private let entryNumbers: [String: Int32]

  /// Compiles; the library lives in `folder`, under `name`.
  convenience init(
    _ module: Module, target: String = "host", name: String = "m", in folder: TestFolder, from phase: Phase = .imported
  ) throws {
    let path = folder["\(name).so"]
    try Self.build(module, .shared, target: target, name: name, to: path, from: phase)
    try self.init(loading: path, name: name)
  }

  /// Loads what is there.
  init(loading path: String, name: String) throws {
    guard let handle = dlopen(path, RTLD_NOW | RTLD_LOCAL) else {
      throw Diagnostic.bug("\(path) cannot be loaded: \(dlerror().map { String(cString: $0) } ?? "")")
    }
    guard let symbol = dlsym(handle, "\(name)_model") else { throw Diagnostic.bug("\(path) has no \(name)_model") }
    typealias Accessor = @convention(c) () -> UnsafePointer<martlet_model>?
    guard let model = unsafeBitCast(symbol, to: Accessor.self)() else { throw Diagnostic.bug("no model in \(path)") }
    self.handle = handle
    self.model = model
    var numbers: [String: Int32] = [:]
    for number in 0..<model.pointee.entry_count {
      guard let entry = model.pointee.entries[Int(number)] else { continue }
      numbers[String(cString: entry.pointee.name)] = number
    }
    entryNumbers = numbers
  }

  deinit { dlclose(handle) }

  static func build(
    _ module: Module, _ kind: ArtifactKind, target: String, name: String, to path: String,
    from phase: Phase = .imported, cache: String? = nil, weightsInFile: Bool = false
  ) throws {
    var options = CompileOptions()
    options.target = target
    options.cacheFolder = cache
    options.from = phase
    options.weightsInFile = weightsInFile
    // The same threads on every machine.
    options.maximumThreads = 2
    var compilation = try Compilation(module, options)
    try compilation.build(kind, name: name, sourceHash: "0", to: path)
  }

  func entry(_ name: String) throws -> UnsafePointer<martlet_entry> {
    guard let number = entryNumbers[name], let entry = model.pointee.entries[Int(number)] else {
      throw Diagnostic.bug("there is no entry \(name)")
    }
    return entry
  }

  /// Up to the zero that ends it in C.
  private func text(_ message: [CChar]) -> String {
    String(decoding: message.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  func makeContext(
    threads: Int32 = 1, _ configure: (inout martlet_options) -> Void = { _ in }
  ) throws -> ModelContext {
    var options = martlet_options()
    options.struct_size = UInt32(MemoryLayout<martlet_options>.size)
    options.threads = threads
    var message = [CChar](repeating: 0, count: 512)
    var context: OpaquePointer?
    let status = message.withUnsafeMutableBufferPointer { buffer in
      options.message = buffer.baseAddress
      options.message_capacity = Int64(buffer.count)
      configure(&options)
      return model.pointee.create(&options, &context)
    }
    guard status == Int32(MARTLET_OK), let context else {
      throw ModelFailure(status: status, message: text(message))
    }
    return ModelContext(self, context)
  }
}

/// A status other than OK, with what the context says about it.
struct ModelFailure: Error, CustomStringConvertible {
  var status: martlet_status
  var message: String
  var description: String { "status \(status): \(message)" }
}

/// A context of a loaded module.
final class ModelContext {
  let owner: CompiledModule
  let context: OpaquePointer

  init(_ owner: CompiledModule, _ context: OpaquePointer) {
    self.owner = owner
    self.context = context
  }

  deinit { owner.model.pointee.destroy(context) }

  var lastError: String {
    owner.model.pointee.last_error(context).map { String(cString: $0) } ?? ""
  }

  /// Runs an entry on inputs that end at guarded pages, with a workspace of exactly the size it asks for.
  func run(_ name: String, _ inputs: [Value]) throws -> [Tensor] {
    let entry = try owner.entry(name)
    var buffers: [GuardedMemory] = []
    var tensors: [martlet_tensor] = []
    var dims: [UnsafeMutablePointer<Int64>] = []
    func room(_ extents: [Int]) -> UnsafeMutablePointer<Int64> {
      let pointer = UnsafeMutablePointer<Int64>.allocate(capacity: 16)
      for (axis, extent) in extents.enumerated() { pointer[axis] = Int64(extent) }
      dims.append(pointer)
      return pointer
    }
    defer { for pointer in dims { pointer.deallocate() } }
    for value in inputs {
      guard let tensor = value.tensor, let storage = tensor.storage else { throw Diagnostic.bug("no plain input") }
      let memory = GuardedMemory(count: tensor.bytes.count, alignment: max(1, min(8, storage.bits / 8)))
      tensor.bytes.withBytes {
        memory.address.copyMemory(from: $0.baseAddress ?? UnsafeRawPointer(memory.address), byteCount: $0.count)
      }
      buffers.append(memory)
      tensors.append(
        martlet_tensor(
          data: memory.address, capacity: Int64(memory.count), type: ModelTypes.code(storage),
          rank: Int32(tensor.shape.count), dims: room(tensor.shape), strides: nil))
    }
    var outputs: [martlet_tensor] = []
    for _ in 0..<entry.pointee.output_count {
      outputs.append(martlet_tensor(data: nil, capacity: 0, type: 0, rank: 0, dims: room([]), strides: nil))
    }
    let empty = outputs

    // The first run tells how much workspace there must be; more may come to light while running.
    var workspace = GuardedMemory(count: 0, alignment: 1)
    var status = Int32(MARTLET_WORKSPACE_TOO_SMALL)
    var needed: Int64 = 0
    for _ in 0..<64 where status == Int32(MARTLET_WORKSPACE_TOO_SMALL) {
      outputs = empty
      status = entry.pointee.run(
        context, tensors, &outputs, workspace.address, Int64(workspace.count), &needed)
      if status == Int32(MARTLET_WORKSPACE_TOO_SMALL) {
        workspace = GuardedMemory(count: Int(needed), alignment: 1)
      }
    }
    guard status == Int32(MARTLET_OK) else { throw ModelFailure(status: status, message: lastError) }
    guard workspace.isIntact, buffers.allSatisfy(\.isIntact) else {
      throw Diagnostic.bug("\(name) writes where it must not")
    }
    return try outputs.map { try ModelTypes.tensor($0) }
  }
}

enum ModelTypes {
  private static let order: [ElementType] = [
    .bool, .i2, .u2, .i4, .u4, .i8, .u8, .i16, .u16, .i32, .u32, .i64, .u64, .f8e4m3fn, .f8e4m3fnuz, .f8e5m2,
    .f8e5m2fnuz, .f8e8m0, .f4e2m1, .f16, .bf16, .f32, .f64, .string,
  ]

  static func code(_ type: ElementType) -> Int32 { Int32((order.firstIndex(of: type) ?? -1) + 1) }

  static func element(_ code: Int32) -> ElementType? {
    order.indices.contains(Int(code) - 1) ? order[Int(code) - 1] : nil
  }

  /// A copy of an output.
  static func tensor(_ output: martlet_tensor) throws -> Tensor {
    guard let element = element(output.type) else { throw Diagnostic.bug("an output of type \(output.type)") }
    let shape = (0..<Int(output.rank)).map { Int(output.dims[$0]) }
    guard let count = element.bytes(for: shape.reduce(1, *)) else { throw Diagnostic.bug("an output \(shape)") }
    let bytes = UnsafeRawBufferPointer(start: output.data, count: count)
    return try Tensor(element: .plain(element), shape: shape, bytes: ByteView(copying: bytes))
  }
}
