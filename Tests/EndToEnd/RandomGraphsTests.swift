import Codegen
@testable import Driver
import Foundation
import IR
import Support
import Targets
import TestGraphs
import Testing

/// Random graphs, compiled: the same results as `evaluate`, which defines them.
@Suite(.serialized) struct RandomGraphsTests {
  /// How many graphs; `MARTLET_RANDOM_GRAPHS` asks for more, `MARTLET_RANDOM_SEED` for others.
  static let count = Int(ProcessInfo.processInfo.environment["MARTLET_RANDOM_GRAPHS"] ?? "") ?? 1000
  static let firstSeed = UInt64(ProcessInfo.processInfo.environment["MARTLET_RANDOM_SEED"] ?? "") ?? 0

  /// Seeds that found a bug once.
  static let regressions: [UInt64] = []

  @Test func hostMatchesEvaluate() throws {
    try check((0..<UInt64(Self.count)).map { $0 + Self.firstSeed }, target: "host")
  }

  @Test func seedsThatFailedPass() throws { try check(Self.regressions, target: "host") }

  @Test(arguments: ["x86-64-v3", "x86-64-v4", "znver5"]) func profilesMatchEvaluate(_ target: String) throws {
    guard try HostCPU.runs(target) else { return print("skipped: this machine cannot run \(target)") }
    try check((0..<UInt64(Self.count * 3 / 20)).map { $0 + 100_000 + Self.firstSeed }, target: target)
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
      guard !batch.graphs.isEmpty else { continue }
      let compiled = try CompiledModule(batch.merged, target: target, name: "batch\(start)", in: folder, from: .fused)
      for graph in batch.graphs {
        checked += 1
        do {
          let context = try compiled.makeContext(threads: checked % 2 == 0 ? 1 : 2)
          var results: [[Tensor]] = []
          for inputs in graph.study.runs { results.append(try context.run("s\(graph.seed)_main", inputs)) }
          if let fault = try graph.study.fault(of: results) {
            Issue.record("\(target), seed \(graph.seed): \(fault)")
          }
        } catch {
          Issue.record("\(target), seed \(graph.seed): \(error)")
        }
      }
    }
    print("\(target): \(checked) of \(seeds.count) graphs ran; no code yet for \(unsupported)")
    #expect(seeds.isEmpty || checked * 2 > seeds.count, "most graphs can be compiled")
  }
}

/// Graphs of one build.
struct RandomBatch {
  struct Graph {
    let seed: UInt64
    let study: ErrorStudy
  }

  private(set) var graphs: [Graph] = []
  private(set) var merged = Module(name: "batch")
  /// What there is no code for, by reason.
  private(set) var unsupported: [String: Int] = [:]
  private(set) var faults: [String] = []

  init(_ seeds: [UInt64], target: String) {
    var merger = ModuleMerger(name: "batch")
    for seed in seeds {
      do throws(Diagnostic) {
        let graph = RandomGraph(seed: seed)
        let module = try graph.module()
        var options = CompileOptions()
        options.target = target
        var compilation = try Compilation(module, options)
        _ = try compilation.schedule()
        try merger.add(compilation.module, prefix: "s\(seed)_")
        let inputs = graph.inputs()
        graphs.append(Graph(seed: seed, study: ErrorStudy(module: module, entry: "main", runs: [inputs, inputs])))
      } catch {
        if error.kind == .unsupported {
          unsupported[error.message, default: 0] += 1
        } else {
          faults.append("seed \(seed): \(error)")
        }
      }
    }
    merged = merger.merged
  }
}

/// Which profiles' code this machine runs.
enum HostCPU {
  static func runs(_ target: String) throws -> Bool {
    let profile = try Profile.named(target)
    let host = try Profile.host()
    guard profile.architecture == host.architecture else { return false }
    let flags = try String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)
    let needed = ["x86-64-v3": "avx2", "x86-64-v4": "avx512bw", "znver5": "avx512_vp2intersect"]
    return needed[target].map { flags.contains(" \($0)") } ?? true
  }
}
