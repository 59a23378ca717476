import CMartlet
import Foundation
import IR
import Support
import TestSupport
import Testing

/// What data may do wrong while running ends in a status that names the op, never in a crash.
@Suite(.serialized) struct StatusTests {
  /// One build for all of them. What is loaded stays when the folder goes; kept, it would outlive the tests.
  static let library = Result { () throws -> CompiledModule in
    try CompiledModule(TestPaths.model("failures"), name: "failures", in: try TestFolder())
  }

  private func context() throws -> ModelContext { try Self.library.get().makeContext() }

  private func failure(_ entry: String, _ inputs: [Tensor]) throws -> ModelFailure? {
    do {
      _ = try context().run(entry, inputs.map { .tensor($0) })
      return nil
    } catch let failure as ModelFailure {
      return failure
    }
  }

  @Test(arguments: [-4, 3, 1000, Int.max, Int.min]) func gatherOutOfRange(_ index: Int) throws {
    let x = Tensor(.f32, [3, 2], doubles: [1, 2, 3, 4, 5, 6])
    let failure = try #require(try failure("gather", [x, Tensor(.i64, [3], integers: [0, index, 1])]))
    #expect(failure.status == Int32(MARTLET_INDEX_OUT_OF_RANGE))
    #expect(failure.message.contains("onnx:/embed/Gather"))
    // What is in range works, from the end too.
    #expect(try self.failure("gather", [x, Tensor(.i64, [3], integers: [2, -3, 1])]) == nil)
  }

  /// Indices and lengths of other ops, one of which is wrong.
  @Test(arguments: [
    ("reverse", ElementType.i64, [2], "onnx:/turn/ReverseSequence", [5, -1, Int.max, Int.min]),
    ("scatter", .i64, [2, 1], "onnx:/put/ScatterND", [4, -5, Int.max, Int.min]),
    ("elements", .i64, [1, 2], "onnx:/pick/GatherElements", [4, -5, Int.max, Int.min]),
    ("steps", .i32, [2], "onnx:/rnn/LSTM", [5, -1, Int(Int32.max), Int(Int32.min)]),
  ])
  func lengthsAndIndicesOutOfRange(
    _ entry: String, _ type: ElementType, _ shape: [Int], _ place: String, _ wrong: [Int]
  ) throws {
    let x = Tensor(.f32, entry == "steps" ? [4, 2, 1] : [4, 2], doubles: (0..<8).map(Double.init))
    for number in wrong {
      let failure = try #require(try failure(entry, [x, Tensor(type, shape, integers: [1, number])]), "\(number)")
      #expect(failure.status == Int32(MARTLET_INDEX_OUT_OF_RANGE), "\(number)")
      #expect(failure.message.contains(place), "\(failure.message)")
    }
    #expect(try self.failure(entry, [x, Tensor(type, shape, integers: [1, 3])]) == nil)
  }

  @Test(arguments: ["divide", "remainder"]) func divisionByZero(_ entry: String) throws {
    let type: ElementType = entry == "divide" ? .i32 : .i8
    // In the middle of a vector, at its end, and behind the last whole one.
    for place in [0, 7, 12, 15] {
      var divisors = Array(repeating: 3, count: 16)
      divisors[place] = 0
      let a = Tensor(type, [16], integers: Array(0..<16))
      let failure = try #require(try failure(entry, [a, Tensor(type, [16], integers: divisors)]))
      #expect(failure.status == Int32(MARTLET_DIVISION_BY_ZERO))
      #expect(failure.message.contains(entry == "divide" ? "onnx:/ratio/Div" : "onnx:/ratio/Mod"))
    }
    // The one quotient that does not fit wraps.
    let low = type == .i32 ? Int(Int32.min) : -128
    #expect(try failure(entry, [Tensor(type, [1], integers: [low]), Tensor(type, [1], integers: [-1])]) == nil)
  }

  @Test func extentsThatDiffer() throws {
    let failure = try #require(
      try failure("sum", [Tensor(.f32, [3], doubles: [1, 2, 3]), Tensor(.f32, [2], doubles: [1, 2])]))
    #expect(failure.status == Int32(MARTLET_SHAPE_MISMATCH))
    #expect(failure.message.contains("onnx:/join/Add"))
  }

  @Test func wrongShapesOfInputs() throws {
    func status(_ tensors: [Tensor]) throws -> Int32? { try failure("gather", tensors)?.status }
    let index = Tensor(.i64, [1], integers: [0])
    let mismatch = Int32(MARTLET_SHAPE_MISMATCH)
    #expect(try status([Tensor(.f32, [2], doubles: [1, 2]), index]) == mismatch)
    #expect(try status([Tensor(.f32, [1, 3], doubles: [1, 2, 3]), index]) == mismatch)
    #expect(try status([Tensor(.f32, [0, 2], doubles: []), index]) == mismatch)
    #expect(try status([Tensor(.f32, [17, 2], doubles: Array(repeating: 0, count: 34)), index]) == mismatch)
    #expect(try status([Tensor(.f64, [1, 2], doubles: [1, 2]), index]) == Int32(MARTLET_INVALID_ARGUMENT))
  }

  /// Calls an entry by hand.
  private func call(
    _ entry: String, inputs: [Tensor], capacity: Int64, workspace: Int64?
  ) throws -> (status: Int32, needed: Int64, message: String) {
    let library = try Self.library.get()
    let context = try library.makeContext()
    var dims = inputs.map { $0.shape.map { Int64($0) } + [0] }
    var storage = inputs.map { $0.bytes.bytes + [0] }
    var tensors: [martlet_tensor] = []
    for number in inputs.indices {
      let data = UnsafeMutableRawPointer.allocate(byteCount: storage[number].count, alignment: 64)
      data.copyMemory(from: &storage[number], byteCount: storage[number].count)
      let extents = UnsafeMutablePointer<Int64>.allocate(capacity: dims[number].count)
      extents.update(from: &dims[number], count: dims[number].count)
      tensors.append(
        martlet_tensor(
          data: data, capacity: 0, type: 0, rank: Int32(inputs[number].shape.count), dims: extents, strides: nil))
    }
    let result = UnsafeMutableRawPointer.allocate(byteCount: 4096, alignment: 64)
    let room = UnsafeMutableRawPointer.allocate(byteCount: 1 << 16, alignment: 64)
    defer {
      for tensor in tensors {
        tensor.data?.deallocate()
        tensor.dims.deallocate()
      }
      result.deallocate()
      room.deallocate()
    }
    var output = martlet_tensor(data: result, capacity: capacity, type: 0, rank: 0, dims: nil, strides: nil)
    var needed: Int64 = 0
    let status = try library.entry(entry).pointee.run(
      context.context, tensors, &output, workspace == nil ? nil : room, workspace ?? 0, &needed)
    return (status, needed, context.lastError)
  }

  @Test func outputsTooSmall() throws {
    let inputs = [Tensor(.f32, [3, 2], doubles: [1, 2, 3, 4, 5, 6]), Tensor(.i64, [2], integers: [0, 1])]
    let small = try call("gather", inputs: inputs, capacity: 15, workspace: 1 << 16)
    #expect(small.status == Int32(MARTLET_OUTPUT_TOO_SMALL))
    #expect(small.message.contains("\"y\""))
    #expect(try call("gather", inputs: inputs, capacity: 16, workspace: 1 << 16).status == Int32(MARTLET_OK))
    // An extent that only the run tells is checked when it is known.
    let found = [Tensor(.f32, [4], doubles: [1, 0, 1, 1])]
    #expect(try call("find", inputs: found, capacity: 16, workspace: 1 << 16).status == Int32(MARTLET_OUTPUT_TOO_SMALL))
    #expect(try call("find", inputs: found, capacity: 24, workspace: 1 << 16).status == Int32(MARTLET_OK))
  }

  @Test func workspaceTooSmall() throws {
    let found = [Tensor(.f32, [16], doubles: Array(repeating: 1, count: 16))]
    for workspace in [nil, 0, 8] as [Int64?] {
      let answer = try call("find", inputs: found, capacity: 4096, workspace: workspace)
      #expect(answer.status == Int32(MARTLET_WORKSPACE_TOO_SMALL))
      #expect(answer.needed > 0)
      #expect(!answer.message.isEmpty)
    }
  }

  @Test func argumentsThatAreNot() throws {
    let library = try Self.library.get()
    let context = try library.makeContext()
    let entry = try library.entry("gather")
    #expect(entry.pointee.run(context.context, nil, nil, nil, 0, nil) == Int32(MARTLET_INVALID_ARGUMENT))
    #expect(entry.pointee.run(nil, nil, nil, nil, 0, nil) == Int32(MARTLET_INVALID_ARGUMENT))
    #expect(library.model.pointee.reserve(context.context, 99, nil) == Int32(MARTLET_INVALID_ARGUMENT))
    #expect(library.model.pointee.create(nil, nil) == Int32(MARTLET_INVALID_ARGUMENT))
  }
}
