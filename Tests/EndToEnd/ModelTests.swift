import Foundation
import IR
import Support
import Targets
import TestSupport
import Testing

/// Models written by hand, against `evaluate`, on every machine whose code runs here.
@Suite(.serialized) struct ModelTests {
  static let targets = [
    "x86-64", "x86-64-v3", "x86-64-v4", "host", "aarch64", "armv7a-neon", "riscv64gcv", "wasm32-simd",
  ]

  /// Runs of one entry after the other, with state kept in between.
  struct Case {
    var model: String
    var runs: [(entry: String, inputs: [Value])]
  }

  @Test(arguments: targets) func attentionOfManySizes(_ target: String) throws {
    var runs: [(String, [Value])] = []
    for (batch, sequence) in [(1, 1), (1, 16), (2, 7), (3, 33), (8, 64)] {
      var inputs = [16, 16, 24].map { Inputs.floats([batch, sequence, $0], seed: UInt64(batch * 100 + sequence + $0)) }
      // Looking ahead is masked out.
      let mask = (0..<sequence * sequence).map { $0 % sequence > $0 / sequence ? -1e9 : 0.0 }
      inputs.append(.tensor(Tensor(.f32, [sequence, sequence], doubles: mask)))
      runs.append(("main", inputs))
    }
    try check(Case(model: "attention", runs: runs), target)
  }

  @Test(arguments: targets) func loopWhoseLengthDependsOnData(_ target: String) throws {
    let runs = [(1.0, 64), (100.0, 64), (0.001, 64), (100.0, 3), (100.0, 0)].map { limits -> (String, [Value]) in
      let start = Tensor(.f32, [3], doubles: [50 * limits.0, 3, 1])
      return ("main", [.tensor(start), .tensor(.scalar(1.0)), .tensor(.scalar(limits.1))])
    }
    try check(Case(model: "halving", runs: runs), target)
  }

  @Test(arguments: targets) func branchByData(_ target: String) throws {
    let runs = [(1, -100.0), (1, 100.0), (100, 0.0), (37, -5.0)].map { size, limit -> (String, [Value]) in
      ("main", [Inputs.floats([size], seed: UInt64(size)), .tensor(.scalar(limit))])
    }
    try check(Case(model: "branch", runs: runs), target)
  }

  @Test(arguments: targets) func branchesOfTwoExtents(_ target: String) throws {
    let runs = [(1, true), (1, false), (100, true), (37, false), (1000, true)].map { size, flag -> (String, [Value]) in
      ("main", [.tensor(Tensor(.bool, [], integers: [flag ? 1 : 0])), Inputs.floats([size, 3], seed: UInt64(size))])
    }
    try check(Case(model: "choice", runs: runs), target)
  }

  @Test(arguments: targets) func entriesShareState(_ target: String) throws {
    let runs: [(String, [Value])] = [
      ("add", [Inputs.floats([5, 4], seed: 1)]), ("mean", []), ("add", [Inputs.floats([1000, 4], seed: 2)]),
      ("add", [Inputs.floats([1, 4], seed: 3)]), ("mean", []), ("mean", []),
    ]
    try check(Case(model: "counter", runs: runs), target)
  }

  /// Without RISC-V's vectors: qemu 7.2 fails an assertion of its own (decode_save_opc) on one of these programs.
  @Test(arguments: targets.filter { $0 != "riscv64gcv" } + ["riscv64gc"]) func orderAndPlace(_ target: String) throws {
    var runs: [(String, [Value])] = []
    for (m, n, k) in [(1, 1, 1), (7, 33, 5), (3, 64, 64), (2, 0, 0), (64, 17, 3)] {
      let seed = UInt64(m * 1000 + n)
      func few(_ element: ElementType, _ shape: [Int], below limit: Double) -> Value {
        let numbers = Inputs.floats(shape, seed: seed).tensor?.doubles() ?? []
        return .tensor(Tensor(element, shape, integers: numbers.map { Int(abs($0) * limit) }))
      }
      runs.append(("best", [Inputs.floats([m, n], seed: seed), .tensor(.scalar(k))]))
      runs.append(("different", [few(.i32, [n, 2], below: 3)]))
      runs.append(("boxes", [Inputs.floats([1, n, 4], seed: seed), Inputs.floats([1, m, n], seed: seed + 1)]))
      let places = few(.i64, [n, 1], below: Double(m))
      runs.append(("placed", [few(.i32, [m, 3], below: 50), places, few(.i32, [n, 3], below: 9)]))
      runs.append(("larger", [few(.u8, [1, m, m, 3], below: 256)]))
    }
    try check(Case(model: "ordering", runs: runs), target)
  }

  @Test(arguments: targets) func blocksOfOpenLength(_ target: String) throws {
    var runs: [(String, [Value])] = []
    for (batch, sequence) in [(1, 1), (1, 17), (3, 130), (8, 40)] {
      let shapes = [[batch, sequence, 32], [sequence, 4], [sequence, 4], [1, 36, 32], [1, 36, 9]]
      runs.append(("main", shapes.enumerated().map { Inputs.floats($1, seed: UInt64(batch * 1000 + sequence + $0)) }))
    }
    try check(Case(model: "blocks", runs: runs), target)
  }

  private func check(_ test: Case, _ target: String) throws {
    let module = try TestPaths.model(test.model)
    var answers: [[Tensor]] = []
    let profile = try Profile.named(target)
    if profile.architecture != (try Profile.host()).architecture {
      let program: EmulatedModule
      do { program = try EmulatedModule(module, target: target) } catch let missing as Emulator.Missing {
        return print("skipped: \(missing)")
      }
      let requests = test.runs.enumerated().map { number, run in
        EmulatedModule.Request(
          entry: module.entries.firstIndex { $0.name == run.entry } ?? 0, isFresh: number == 0, inputs: run.inputs)
      }
      answers = try program.run(requests).map { try $0.get() }
    } else {
      guard try HostCPU.runs(target) else { return print("skipped: this machine cannot run \(target)") }
      let folder = try TestFolder()
      let context = try CompiledModule(module, target: target, name: test.model, in: folder).makeContext(threads: 2)
      for run in test.runs { answers.append(try context.run(run.entry, run.inputs)) }
    }
    let study = ErrorStudy(module: module, runs: test.runs)
    let fault = try study.fault(of: answers, flushesSubnormals: profile.flushesSubnormals)
    #expect(fault == nil, "\(test.model) on \(target)")
  }
}

enum Inputs {
  /// Uniform in -1...1.
  static func floats(_ shape: [Int], seed: UInt64) -> Value {
    var noise = Noise(seed)
    return .tensor(Tensor(.f32, shape, doubles: (0..<shape.reduce(1, *)).map { _ in noise.next() }))
  }
}
