import CMartlet
import Foundation
import IR
import Support
import TestSupport
import Testing

/// Corners of scheduling and of the generated C that random graphs reach seldom or never.
@Suite(.serialized) struct CornerTests {
  /// What is loaded stays when the folder goes; kept, it would outlive the tests.
  private static let library = Result { () throws -> (CompiledModule, Module) in
    let module = try TestPaths.model("corners")
    return (try CompiledModule(module, name: "corners", in: try TestFolder()), module)
  }

  /// Runs one entry several times in one context, as `evaluate` does.
  private func expect(_ entry: String, _ runs: [[Value]]) throws {
    let (compiled, module) = try Self.library.get()
    let context = try compiled.makeContext(threads: 2)
    let answers = try runs.map { try context.run(entry, $0) }
    let fault = try ErrorStudy(module: module, runs: runs.map { (entry, $0) }).fault(of: answers)
    #expect(fault == nil, "\(entry)")
  }

  private func number(_ value: Int) -> Value { .tensor(.scalar(value)) }
  private func flag(_ value: Bool) -> Value { .tensor(.scalar(value ? 1 : 0, .bool)) }

  @Test func oneWeightPackedInTwoWays() throws {
    try expect("groups", [[Inputs.floats([1, 3, 3, 8], seed: 1), Inputs.floats([1, 3, 3, 16], seed: 2)]])
  }

  @Test func conditionsThatAreCarried() throws {
    let x = Inputs.floats([3], seed: 3)
    try expect("flags", [true, false].flatMap { go in [0, 1, 2, 5].map { [x, flag(go), number($0)] } })
  }

  /// A trip count that is nothing but a large number asks for no memory.
  @Test func listsGrowWithTheirLoops() throws {
    let x = Inputs.floats([400], seed: 5)
    for (count, trip) in [(0, Int.max), (1, Int.max), (200, Int.max), (41, 1 << 40), (50, 7), (3, 0), (3, -1)] {
      try expect("collect", [[number(count), x, number(trip)], [number(min(count, 3)), x, number(trip)]])
    }
    // More than the symbol's range allows ends as such.
    let folder = try TestFolder()
    let context = try CompiledModule(try TestPaths.model("halving"), in: folder).makeContext()
    let start = Value.tensor(Tensor(.f32, [3], doubles: [1e30, 1, 2]))
    let failure = #expect(throws: ModelFailure.self) {
      try context.run("main", [start, .tensor(.scalar(1e-30, .f32)), number(Int.max)])
    }
    #expect(failure?.status == Int32(MARTLET_LIMIT_EXCEEDED) && failure?.message.contains("steps") == true)
  }

  @Test func carriedValuesTradePlaces() throws {
    let runs = [0, 1, 7, 33].flatMap { size in
      [true, false].map { [1, 2, 3].map { Inputs.floats([size], seed: $0) } + [flag($0)] }
    }
    try expect("round", runs)
  }

  @Test func scansWalkWhatTheyAreGiven() throws {
    let start = Inputs.floats([3], seed: 6)
    try expect("walk", [0, 1, 7, 64].map { [start, Inputs.floats([3, $0], seed: 7), Inputs.floats([$0], seed: 8)] })
  }

  @Test func outputsThatAreSomethingElse() throws {
    try expect("same", [0, 1, 7, 64].map { [Inputs.floats([$0, 2], seed: UInt64($0))] })
    let x = Inputs.floats([4, 3], seed: 4)
    try expect("views", [[x, number(4)], [x, number(4)]])
    try expect("handed", [[x, number(4)]])
  }

  /// An output handed out as a view is the caller's to keep or to overwrite: it must not be an input or a weight.
  @Test func viewsLieInTheWorkspace() throws {
    let (compiled, _) = try Self.library.get()
    let context = try compiled.makeContext()
    let entry = try compiled.entry("views")
    var extents: [Int64] = [4, 3]
    var rows = [Float](repeating: 1, count: 12)
    var count: Int64 = 4
    var known = [Float](repeating: 0, count: 12)
    var shapes = [Int64](repeating: 0, count: 8)
    let workspace = GuardedMemory(count: 1 << 16, alignment: 64)
    var needed: Int64 = 0
    extents.withUnsafeMutableBufferPointer { extents in
      rows.withUnsafeMutableBytes { rows in
        withUnsafeMutableBytes(of: &count) { count in
          known.withUnsafeMutableBytes { known in
            shapes.withUnsafeMutableBufferPointer { shapes in
              let inputs = [
                martlet_tensor(
                  data: rows.baseAddress, capacity: 48, type: 0, rank: 2, dims: extents.baseAddress, strides: nil),
                martlet_tensor(data: count.baseAddress, capacity: 8, type: 0, rank: 0, dims: nil, strides: nil),
              ]
              var outputs = (0..<4).map { number in
                martlet_tensor(
                  data: number == 2 ? known.baseAddress : nil, capacity: 48, type: 0, rank: 0,
                  dims: shapes.baseAddress.map { $0 + 2 * number }, strides: nil)
              }
              let status = entry.pointee.run(
                context.context, inputs, &outputs, workspace.address, Int64(workspace.count), &needed)
              #expect(status == Int32(MARTLET_OK))
              let whole = workspace.address..<workspace.address + workspace.count
              for number in [0, 1, 3] {
                #expect(outputs[number].data.map { whole.contains($0) } ?? false, "output \(number)")
              }
            }
          }
        }
      }
    }
  }

  @Test func stateChangesOnceARun() throws {
    let x = Inputs.floats([4], seed: 5)
    try expect("late", [0, 3, 1000, 5].map { [x, number($0)] })
  }

  @Test func bytesAreMultipliedFromTransposedMatrices() throws {
    var noise = Noise(7)
    func bytes(_ type: ElementType, _ shape: [Int]) -> Value {
      let low = type == .i8 ? -128.0 : 0
      return .tensor(
        Tensor(type, shape, integers: (0..<shape.reduce(1, *)).map { _ in Int((noise.next() + 1) * 127.5 + low) }))
    }
    let runs = [(0, 1), (1, 1), (13, 9), (64, 33)].map { n, m in
      [bytes(.i8, [2, 5, n]), bytes(.u8, [7, n]), bytes(.i8, [5, 3]), bytes(.i8, [7, m])]
    }
    try expect("turned", runs)
  }

  @Test func extentsThatDoNotFit() throws {
    let x = Inputs.floats([1], seed: 8)
    try expect("below", [3, 4, 64].map { [x, Inputs.floats([$0, 0], seed: 0)] })
    try expect("later", [3, 4, 64].map { [x, number($0)] })
    try expect("huge", [3, 4, 9].map { [Inputs.floats([$0, 0], seed: 0)] })
    let context = try Self.library.get().0.makeContext()
    func status(_ entry: String, _ inputs: [Value]) throws -> martlet_status {
      do {
        _ = try context.run(entry, inputs)
        return Int32(MARTLET_OK)
      } catch let failure as ModelFailure { return failure.status }
    }
    for size in 0...2 {
      #expect(try status("below", [x, Inputs.floats([size, 0], seed: 0)]) == Int32(MARTLET_SHAPE_MISMATCH))
      #expect(try status("later", [x, number(size)]) == Int32(MARTLET_SHAPE_MISMATCH))
    }
    #expect(try status("huge", [Inputs.floats([2_097_152, 0], seed: 0)]) == Int32(MARTLET_LIMIT_EXCEEDED))
  }

  /// What a run writes must not be what it reads, or writes elsewhere.
  @Test func overlappingBuffersAreRefused() throws {
    let (compiled, _) = try Self.library.get()
    let context = try compiled.makeContext()
    let entry = try compiled.entry("apart")
    var extent: Int64 = 4
    var values = [Float](repeating: 1, count: 12)
    var needed: Int64 = 0
    func status(_ input: Int, _ first: Int, _ second: Int) -> martlet_status {
      withUnsafeMutablePointer(to: &extent) { dims in
        values.withUnsafeMutableBufferPointer { buffer in
          let tensors = [input, first, second].map { place in
            martlet_tensor(
              data: buffer.baseAddress.map { $0 + place }, capacity: 16, type: 0, rank: 1, dims: dims, strides: nil)
          }
          var outputs = Array(tensors[1...])
          return entry.pointee.run(context.context, [tensors[0]], &outputs, nil, 0, &needed)
        }
      }
    }
    #expect(status(0, 4, 8) == Int32(MARTLET_OK))
    #expect(values == [1, 1, 1, 1, -1, -1, -1, -1] + Array(repeating: values[8], count: 4))
    #expect(status(0, 0, 8) == Int32(MARTLET_INVALID_ARGUMENT))
    #expect(context.lastError == "output \"a\": overlaps input \"x\"")
    #expect(status(3, 4, 8) == Int32(MARTLET_INVALID_ARGUMENT))
    #expect(status(8, 1, 4) == Int32(MARTLET_INVALID_ARGUMENT))
    #expect(context.lastError == "output \"b\": overlaps output \"a\"")
  }

  @Test func symbolsThatFollowFromOthers() throws {
    let (compiled, _) = try Self.library.get()
    let context = try compiled.makeContext()
    for (n, m) in [(3, 4), (64, 1)] {
      let inputs = [[n + m], [2 * n + 1], [3, n * m]].map { Inputs.floats($0, seed: 6) }
      let answers = try context.run("solved", inputs)
      #expect(answers[2].integers() == [n] && answers[3].integers() == [m])
      #expect(throws: ModelFailure.self) {
        try context.run("solved", [inputs[0], inputs[1], Inputs.floats([3, n * m + 1], seed: 6)])
      }
    }
  }

  /// A symbol that is known from an extent it is a factor of: `evaluate` and the artifact agree on what follows and on
  /// what does not, down to the words.
  @Test func symbolsFollowFromProducts() throws {
    let (compiled, module) = try Self.library.get()
    let context = try compiled.makeContext()
    func outcomes(_ shapes: [[Int]]) -> (compiled: String, evaluated: String) {
      let inputs = shapes.map { Inputs.floats($0, seed: 7) }
      var texts: [String] = []
      do { texts.append("\(try context.run("factor", inputs)[1].integers())") } catch let failure as ModelFailure {
        texts.append(failure.message)
      } catch { texts.append("\(error)") }
      do throws(Diagnostic) {
        let results = try Evaluator(module).run("factor", inputs)
        texts.append("\(try results[1].expectTensor().integers())")
      } catch { texts.append(error.message) }
      return (texts[0], texts[1])
    }
    for (n, m) in [(3, 4), (1, 0), (5, 1)] {
      let (compiled, evaluated) = outcomes([[10 - n], [n * m + n]])
      #expect(compiled == "[\(m)]" && evaluated == compiled)
    }
    let faults: [([[Int]], String)] = [
      ([[7], [13]], "dimension 0 is 13, which no m gives"), ([[7], [0]], "dimension 0 is 0, which no m gives"),
      ([[10], [0]], "dimension 0 is 0, from which m does not follow"),
      ([[12], [6]], "dimension 0 is 12, which no n gives"),
    ]
    for (shapes, fault) in faults {
      let (compiled, evaluated) = outcomes(shapes)
      #expect(compiled.contains(fault) && evaluated == compiled)
    }
  }

  @Test func symbolsThatFollowFromNothingAreRefused() throws {
    let text = """
      module @m {
        symbol n in 1...8
        symbol m in 1...8
        entry @main(%x: f32[n * m]) -> (%y: f32[n * m]) {
          %0 = neg %x : f32[n * m]
          return %0
        }
      }
      """
    let module = try ModuleParser.parse(text, file: "m.mir")
    let folder = try TestFolder()
    for action in [
      { _ = try CompiledModule(module, in: folder) },
      { _ = try Evaluator(module).run("main", [Inputs.floats([6], seed: 1)]) },
    ] {
      let error = #expect(throws: Diagnostic.self) { try action() }
      #expect(error?.kind == .unsupported && error?.message.contains("follows from no input") == true)
    }
  }
}
