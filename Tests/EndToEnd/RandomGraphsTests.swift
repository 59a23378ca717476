import Codegen
@testable import Driver
import Foundation
import IR
import Support
@testable import Targets
import TestGraphs
import TestSupport
import Testing

/// Random graphs, compiled: the same results as `evaluate`, which defines them.
@Suite(.serialized) struct RandomGraphsTests {
  /// How many graphs; `MARTLET_RANDOM_GRAPHS` asks for more, `MARTLET_RANDOM_SEED` for others.
  static let count = Int(ProcessInfo.processInfo.environment["MARTLET_RANDOM_GRAPHS"] ?? "") ?? 1000
  static let firstSeed = UInt64(ProcessInfo.processInfo.environment["MARTLET_RANDOM_SEED"] ?? "") ?? 0

  /// Seeds that found a bug once: memory that loops leave things in was used twice (10), loops collected values of a
  /// size not yet known (14), a run that lacked room had updated state already (135), bytes of a transposed left matrix
  /// were multiplied as if they lay side by side (1356).
  static let regressions: [UInt64] = [10, 14, 135, 1356]

  @Test func hostMatchesEvaluate() throws {
    try check((0..<UInt64(Self.count)).map { $0 + Self.firstSeed }, target: "host")
  }

  /// And with AVX-512: a store of one narrowed lane wrote over the next (110174).
  static let wideRegressions: [UInt64] = [110_174]

  @Test func seedsThatFailedPass() throws {
    try check(Self.regressions, target: "host")
    if try HostCPU.runs("x86-64-v4") { try check(Self.wideRegressions, target: "x86-64-v4") }
  }

  @Test(arguments: ["x86-64", "x86-64-v3", "x86-64-v4", "znver5"]) func profilesMatchEvaluate(_ target: String) throws {
    guard try HostCPU.runs(target) else { return print("skipped: this machine cannot run \(target)") }
    let count = target == "x86-64" ? Self.count / 20 : Self.count * 3 / 20
    try check((0..<UInt64(max(1, count))).map { $0 + 100_000 + Self.firstSeed }, target: target)
  }

  @Test(arguments: ["aarch64", "armv7a-neon", "riscv64gcv", "wasm32-simd"])
  func emulatedMatchEvaluate(_ target: String) throws {
    let count = Self.count / (target == "aarch64" ? 25 : 50)
    let seeds = (0..<UInt64(max(1, count))).map { $0 + 200_000 + Self.firstSeed }
    for start in stride(from: 0, to: seeds.count, by: 100) {
      let batch = RandomBatch(Array(seeds[start..<min(start + 100, seeds.count)]), target: target)
      for fault in batch.faults { Issue.record("\(target), \(fault)") }
      do {
        for fault in try batch.emulate(on: target) { Issue.record("\(target), \(fault)") }
        print("\(target): \(batch.graphs.count) graphs ran")
      } catch let missing as Emulator.Missing {
        return print("skipped: \(missing)")
      }
    }
  }

  /// Compiles the graphs in batches, and runs each twice: what the first run leaves in states, the second one sees.
  private func check(_ seeds: [UInt64], target: String) throws {
    let folder = try TestFolder()
    var unsupported: [String: Int] = [:]
    var checked = 0
    for start in stride(from: 0, to: seeds.count, by: 100) {
      let batch = RandomBatch(Array(seeds[start..<min(start + 100, seeds.count)]), target: target)
      for (reason, number) in batch.unsupported { unsupported[reason, default: 0] += number }
      for fault in batch.faults { Issue.record("\(target), \(fault)") }
      checked += run(batch.graphs, target: target, name: "batch\(start)", in: folder)
    }
    print("\(target): \(checked) of \(seeds.count) graphs ran")
    for (reason, number) in unsupported.sorted(by: { $0.value > $1.value }) { print("  \(number) times: \(reason)") }
    #expect(seeds.count < 10 || checked * 2 > seeds.count, "most graphs can be compiled")
  }

  /// Builds graphs as one library and runs them; how many there were. Where that fails, halves tell which one it is.
  private func run(_ graphs: [RandomBatch.Graph], target: String, name: String, in folder: TestFolder) -> Int {
    guard let first = graphs.first else { return 0 }
    do {
      var merger = ModuleMerger(name: name)
      for graph in graphs { try merger.add(graph.compiled, prefix: graph.prefix) }
      let library = try CompiledModule(merger.merged, target: target, name: name, in: folder, from: .fused)
      for graph in graphs { run(graph, of: library, target: target) }
      return graphs.count
    } catch {
      guard graphs.count > 1 else {
        Issue.record("\(target), seed \(first.seed): \(error)")
        return 0
      }
      let middle = graphs.count / 2
      return run(Array(graphs[..<middle]), target: target, name: "\(name)a", in: folder)
        + run(Array(graphs[middle...]), target: target, name: "\(name)b", in: folder)
    }
  }

  private func run(_ graph: RandomBatch.Graph, of library: CompiledModule, target: String) {
    graph.keep()
    CrashNote.set("\(target), seed \(graph.seed)")
    defer { CrashNote.set("") }
    do {
      let context = try library.makeContext(threads: graph.seed % 2 == 0 ? 1 : 2)
      var results: [[Tensor]] = []
      for run in graph.study.runs { results.append(try context.run("\(graph.prefix)main", run.inputs)) }
      if let fault = try graph.study.fault(of: results) { Issue.record("\(target), seed \(graph.seed): \(fault)") }
    } catch {
      Issue.record("\(target), seed \(graph.seed): \(error)")
    }
  }
}

/// Graphs that there is code for.
struct RandomBatch {
  struct Graph {
    let seed: UInt64
    let original: Module
    /// After all passes.
    let compiled: Module
    /// Of the compiled one: that passes keep the meaning, within what they declare, is for tests of their own.
    let study: ErrorStudy
    var prefix: String { "s\(seed)_" }

    /// Writes the graph as text into the folder that `MARTLET_KEEP` names, before and after the passes.
    func keep() {
      guard let folder = ProcessInfo.processInfo.environment["MARTLET_KEEP"] else { return }
      for (module, name) in [(original, "seed\(seed).mir"), (compiled, "seed\(seed).fused.mir")] {
        try? Data(module.text().utf8).write(to: URL(fileURLWithPath: folder).appendingPathComponent(name))
      }
    }
  }

  private(set) var graphs: [Graph] = []
  /// What there is no code for, by reason.
  private(set) var unsupported: [String: Int] = [:]
  private(set) var faults: [String] = []

  /// Of ten graphs, two have all there is; the others leave out what there is no code for, and three of them are large.
  static func options(_ seed: UInt64) -> RandomGraph.Options {
    var options = RandomGraph.Options()
    guard ProcessInfo.processInfo.environment["MARTLET_RANDOM_ALL"] == nil else { return options }
    options.sequences = seed % 10 < 2
    options.lists = seed % 10 == 1
    options.packed = seed % 10 < 2
    options.large = seed % 10 > 6
    options.withNaN = seed % 10 == 5
    return options
  }

  init(
    _ seeds: [UInt64], target: String, options: (UInt64) -> RandomGraph.Options = { RandomBatch.options($0) }
  ) {
    for seed in seeds {
      do throws(Diagnostic) {
        let graph = RandomGraph(seed: seed, options: options(seed))
        let module = try graph.module()
        var options = CompileOptions()
        options.target = target
        var compilation = try Compilation(module, options)
        for kernel in try compilation.schedule().kernels { try kernel.verify() }
        let inputs = graph.inputs()
        let study = ErrorStudy(module: compilation.module, runs: [("main", inputs), ("main", inputs)])
        graphs.append(Graph(seed: seed, original: module, compiled: compilation.module, study: study))
      } catch {
        if error.kind == .unsupported {
          // Types differ, reasons do not.
          unsupported[error.message.replacing(#/\ [a-z0-9]+\[.*\]( @\w+)?/#, with: " a type"), default: 0] += 1
        } else {
          faults.append("seed \(seed): \(error)")
        }
      }
    }
  }

  /// All graphs as one module.
  func merged() throws -> Module {
    var merger = ModuleMerger(name: "m")
    for graph in graphs { try merger.add(graph.compiled, prefix: graph.prefix) }
    return merger.merged
  }

  /// Runs all graphs in an emulator, started once; what is wrong with the results.
  func emulate(on target: String) throws -> [String] {
    let program = try EmulatedModule(try merged(), target: target, from: .fused)
    let requests = graphs.enumerated().flatMap { number, graph in
      graph.study.runs.enumerated().map { index, run in
        EmulatedModule.Request(entry: number, isFresh: index == 0, inputs: run.inputs)
      }
    }
    var faults: [String] = []
    var answers = try program.run(requests)[...]
    for graph in graphs {
      let answered = graph.study.runs.map { _ in answers.removeFirst() }
      do {
        let results = try answered.map { try $0.get() }
        let flushes = try Profile.named(target).flushesSubnormals
        if let fault = try graph.study.fault(of: results, flushesSubnormals: flushes) {
          faults.append("seed \(graph.seed): \(fault)")
        }
      } catch {
        faults.append("seed \(graph.seed): \(error)")
      }
    }
    return faults
  }
}

/// Which profiles' code this machine runs.
enum HostCPU {
  static func runs(_ target: String) throws -> Bool {
    let profile = try Profile.named(target)
    let host = HostFeatures.detect()
    return profile.format == .elf && profile.architecture == host.architecture && profile.requires.allSatisfy(host.has)
  }
}
