import CMartlet
@testable import Codegen
@testable import Driver
import IR
import Passes
import Support
import Targets
import TestSupport
import Testing

/// A compiled module that takes and gives any values, in a workspace that is never larger than it asks for.
struct KindRun {
  private let folder: TestFolder
  private let library: CompiledModule
  private let results: [ValueType]

  init(_ module: Module) throws {
    folder = try TestFolder()
    library = try CompiledModule(module, in: folder)
    let function = try #require(module.function("main"))
    results = function[function.body].yields.map { function.type($0) }
  }

  func callAsFunction(_ values: [Value]) throws -> [Value] {
    let memory = DescriptorMemory()
    return try run(values.map { memory.describe($0) }, memory)
  }

  /// What is said of an input of one text.
  func failure(text: martlet_string) throws -> String {
    var text = text
    let memory = DescriptorMemory()
    return try withUnsafeMutablePointer(to: &text) { pointer in
      let input = martlet_tensor(
        data: pointer, capacity: 16, type: ElementType.string.martletNumber, rank: 1, dims: memory.extents([1]),
        strides: nil)
      do { _ = try run([input], memory) } catch let error as ModelFailure { return "\(error)" }
      return "it runs"
    }
  }

  private func run(_ inputs: [martlet_tensor], _ memory: DescriptorMemory) throws -> [Value] {
    let context = try library.makeContext()
    let entry = try library.entry("main")
    var outputs: [martlet_tensor] = []
    var workspace = GuardedMemory(count: 0, alignment: 1)
    var status = Int32(MARTLET_WORKSPACE_TOO_SMALL)
    var needed: Int64 = 0
    for _ in 0..<64 where status == Int32(MARTLET_WORKSPACE_TOO_SMALL) {
      workspace = GuardedMemory(count: Int(needed), alignment: 1)
      outputs = results.map { _ in martlet_tensor() }
      for number in outputs.indices { outputs[number].dims = memory.extents([Int](repeating: 0, count: 16)) }
      status = entry.pointee.run(
        context.context, inputs, &outputs, workspace.address, Int64(workspace.count), &needed)
    }
    guard status == Int32(MARTLET_OK) else { throw ModelFailure(status: status, message: context.lastError) }
    guard workspace.isIntact else { throw Diagnostic.bug("it writes beyond its workspace") }
    return try zip(outputs, results).map { output, type in
      try DescriptorMemory.value(output, as: type.member == nil ? nil : type, "an output")
    }
  }

  /// Schedules, prints, reads back, and interprets what was read.
  static func interpret(_ module: Module, _ runs: [[Value]]) throws {
    let program = try Scheduler.schedule(module, for: try Profile.named("x86-64-v3"))
    let weights = Dictionary(uniqueKeysWithValues: program.weights.map { ($0.name, $0.content()) })
    let read = try ProgramParser.parse(Array(program.text().utf8), file: "program.loops") {
      name, _ throws(Diagnostic) in
      guard let content = weights[name] else { throw .invalid("there is no weight \(name)") }
      return content
    }
    #expect(read.program == program)
    let interpreter = try ProgramInterpreter(read.program)
    for inputs in runs {
      let expected = try Evaluator(module).run("main", inputs)
      #expect(try interpreter.run("main", values: inputs) == expected, "\(inputs)")
    }
  }
}
