import CMartlet
import Foundation
import IR
import Support
import TestSupport
import Testing

/// Weights in a file beside the artifact.
@Suite(.serialized) struct WeightsFileTests {
  private static let module = """
    module @m {
      weight @a : f32[3] = [1.0, 2.0, 3.0]
      weight @b : f32[3] = [FIRST, 20.0, 30.0]
      entry @main(%x: f32[3]) -> (%y: f32[3]) {
        %1 = mul %x, @a : f32[3]
        %2 = add %1, @b : f32[3]
        return %2
      }
    }
    """

  private let input: [Value] = [.tensor(Tensor(.f32, [3], doubles: [1, 1, 2]))]

  private func build(_ folder: TestFolder, first: String = "10.0") throws -> CompiledModule {
    let module = try ModuleParser.parse(Self.module.replacing("FIRST", with: first), file: "m.mir")
    try CompiledModule.build(
      module, .shared, target: "host", name: "m", to: folder["m.so"], weightsInFile: true)
    return try CompiledModule(loading: folder["m.so"], name: "m")
  }

  private func failure(_ body: () throws -> ModelContext) throws -> String? {
    do {
      _ = try body()
      return nil
    } catch let failure as ModelFailure {
      #expect(failure.status == Int32(MARTLET_WEIGHTS_MISMATCH))
      return failure.message
    }
  }

  @Test func theFileBesideIsFound() throws {
    let folder = try TestFolder()
    let compiled = try build(folder)
    let results = try compiled.makeContext().run("main", input)
    #expect(results.map { $0.doubles() } == [[11, 22, 36]])
  }

  @Test func theFileMayBeElsewhere() throws {
    let (folder, other) = (try TestFolder(), try TestFolder())
    let compiled = try build(folder)
    let path = other["moved"]
    try FileManager.default.moveItem(atPath: folder["m.weights"], toPath: path)
    let context = try path.withCString { name in try compiled.makeContext { $0.weights_path = name } }
    #expect(try context.run("main", input).map { $0.doubles() } == [[11, 22, 36]])
    let complaint = try failure { try compiled.makeContext() }
    #expect(complaint?.contains("m.weights: the weights file cannot be opened") == true)

    // Or in memory.
    let bytes = try Data(contentsOf: URL(fileURLWithPath: path))
    let memory = UnsafeMutableRawPointer.allocate(byteCount: bytes.count, alignment: 64)
    defer { memory.deallocate() }
    bytes.copyBytes(to: memory.assumingMemoryBound(to: UInt8.self), count: bytes.count)
    let inMemory = try compiled.makeContext {
      $0.weights = UnsafeRawPointer(memory)
      $0.weights_size = Int64(bytes.count)
    }
    #expect(try inMemory.run("main", input).map { $0.doubles() } == [[11, 22, 36]])
  }

  @Test func aFileOfAnotherBuildIsRefused() throws {
    let (folder, other) = (try TestFolder(), try TestFolder())
    let compiled = try build(folder)
    _ = try build(other, first: "11.0")
    let complaint = try other["m.weights"].withCString { name in
      try failure { try compiled.makeContext { $0.weights_path = name } }
    }
    #expect(complaint?.contains("weights of another build of m (hashes differ)") == true)
  }

  @Test func brokenFilesAreRefused() throws {
    let folder = try TestFolder()
    let compiled = try build(folder)
    let whole = try Data(contentsOf: URL(fileURLWithPath: folder["m.weights"]))
    let path = folder["broken"]
    func complaint(_ bytes: Data) throws -> String {
      try bytes.write(to: URL(fileURLWithPath: path))
      return try path.withCString { name in try failure { try compiled.makeContext { $0.weights_path = name } } } ?? ""
    }
    #expect(try complaint(whole) == "")
    #expect(try complaint(Data()).contains("cannot be mapped"))
    #expect(try complaint(whole.prefix(20)).contains("too short"))
    #expect(try complaint(whole.dropLast(8)).contains("does not lie within"))
    #expect(try complaint(Data("x".utf8) + whole.dropFirst()).contains("not a weights file"))
    var other = whole
    other[8] = 9
    #expect(try complaint(other).contains("version 9"))
  }
}
