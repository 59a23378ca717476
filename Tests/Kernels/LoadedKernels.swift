import Codegen
import Foundation
import LLVMBackend
import Support
import TestSupport

/// Kernels compiled for this machine, linked into one shared object and loaded.
final class LoadedKernels {
  typealias Function =
    @convention(c) (
      UnsafePointer<UnsafeMutableRawPointer?>?, UnsafePointer<Int64>?, Int64, Int64
    ) -> Int32

  private let handle: UnsafeMutableRawPointer
  private let folder: TestFolder

  init(_ kernels: [Kernel], for machine: MachineOptions = .host()) throws {
    var machine = machine
    machine.exportsKernels = true
    let objects = try LLVMBackend(machine).compileAll(kernels, to: .object)
    folder = try TestFolder()
    let library = folder["kernels.so"]
    var arguments = ["-shared", "-o", library, "--no-undefined"]
    for (number, object) in objects.enumerated() {
      let file = folder["k\(number).o"]
      try Data(object).write(to: URL(filePath: file))
      arguments.append(file)
    }
    let link = Process()
    link.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    link.arguments = ["ld.lld-22"] + arguments
    try link.run()
    link.waitUntilExit()
    guard link.terminationStatus == 0, let handle = dlopen(library, RTLD_NOW | RTLD_LOCAL) else {
      throw Diagnostic.bug("the kernels do not link: a kernel calls something outside of itself")
    }
    self.handle = handle
  }

  deinit { dlclose(handle) }

  func function(_ name: String) throws -> Function {
    guard let symbol = dlsym(handle, name) else { throw Diagnostic.bug("no symbol \(name)") }
    return unsafeBitCast(symbol, to: Function.self)
  }

  /// Calls a kernel on buffers of bytes, each copied to 64-byte aligned memory and back.
  func run(
    _ name: String, _ buffers: inout [[UInt8]], scalars: [Int] = [], thread: Int = 0, threads: Int = 1
  ) throws -> Int {
    let pointers = buffers.map { bytes -> UnsafeMutableRawPointer? in
      let memory = UnsafeMutableRawPointer.allocate(byteCount: max(64, bytes.count), alignment: 64)
      bytes.withUnsafeBytes { memory.copyMemory(from: $0.baseAddress ?? UnsafeRawPointer(memory), byteCount: $0.count) }
      return memory
    }
    defer { for pointer in pointers { pointer?.deallocate() } }
    let status = try function(name)(pointers, scalars.map { Int64($0) }, Int64(thread), Int64(threads))
    for number in buffers.indices {
      guard let pointer = pointers[number] else { continue }
      buffers[number] = Array(UnsafeRawBufferPointer(start: pointer, count: buffers[number].count))
    }
    return Int(status)
  }
}
