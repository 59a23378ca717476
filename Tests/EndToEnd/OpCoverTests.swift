import Codegen
@testable import Driver
import Foundation
import IR
import Support
@testable import Targets
import TestGraphs
import TestSupport
import Testing

/// Every op that there is code for, on extents that fill no vector evenly, compiled for machines of every kind and
/// compared with `evaluate`.
@Suite(.serialized) struct OpCoverTests {
  @Test(arguments: ["x86-64", "x86-64-v3", "x86-64-v4", "icelake", "znver4", "sapphirerapids"])
  func opsMatchOnThisMachine(_ target: String) throws {
    guard try HostCPU.runs(target) else { return print("skipped: this machine cannot run \(target)") }
    let batch = OpCover.batch(for: target, times: 3)
    for fault in batch.faults { Issue.record("\(target), \(fault)") }
    let folder = try TestFolder()
    let library = try CompiledModule(try batch.merged(), target: target, in: folder, from: .fused)
    for graph in batch.graphs {
      graph.keep()
      CrashNote.set("\(target), seed \(graph.seed)")
      do {
        let context = try library.makeContext(threads: graph.seed % 2 == 0 ? 1 : 2)
        let results = try graph.study.runs.map { try context.run("\(graph.prefix)main", $0.inputs) }
        if let fault = try graph.study.fault(of: results) { Issue.record("\(target), seed \(graph.seed): \(fault)") }
      } catch {
        Issue.record("\(target), seed \(graph.seed): \(error)")
      }
    }
    CrashNote.set("")
    OpCover.report(batch, target)
  }

  @Test(arguments: [
    "aarch64", "neoverse-v2", "armv7a-neon", "riscv64gc", "riscv64gcv", "wasm32-simd", "cortex-m4", "cortex-m7",
    "cortex-m33", "cortex-m55",
  ])
  func opsMatchInAnEmulator(_ target: String) throws {
    let batch = OpCover.batch(for: target, times: 3)
    for fault in batch.faults { Issue.record("\(target), \(fault)") }
    do {
      for fault in try batch.emulate(on: target) { Issue.record("\(target), \(fault)") }
    } catch let missing as Emulator.Missing {
      return print("skipped: \(missing)")
    }
    OpCover.report(batch, target)
  }

  /// What the list in `runtime.h` allows an object to need, and what belongs to a format.
  private static func allowed(_ profile: Profile) -> Set<String> {
    var names: Set = ["memcpy", "memset", "memmove"]
    if profile.hasHeap { names.formUnion(["malloc", "free"]) }
    if profile.hasThreads, profile.format == .elf { names.formUnion(["pthread_create", "pthread_join", "getauxval"]) }
    switch profile.format {
    case .elf: return names
    // LLVM's word there for memset with zero.
    case .macho: return Set((names.union(["bzero"])).map { "_\($0)" })
    case .wasm: return names.union(["__stack_pointer", "__indirect_function_table", "__linear_memory"])
    }
  }

  /// Objects of all ops link with nothing but a few functions of C, and give nothing but one symbol away.
  @Test(arguments: Profile.names) func objectsNeedLittle(_ target: String) throws {
    let profile = try Profile.named(target)
    let batch = OpCover.batch(for: target, times: 1)
    for fault in batch.faults { Issue.record("\(target), \(fault)") }
    let folder = try TestFolder()
    let path = folder["m.o"]
    try CompiledModule.build(try batch.merged(), .object, target: target, name: "m", to: path, from: .fused)
    let undefined = try TestTool.run("llvm-nm-22", ["--undefined-only", "--format=just-symbols", path])
    let needed = Set(undefined.split(separator: "\n").map(String.init))
    #expect(needed.subtracting(Self.allowed(profile)) == [], "\(target)")
    #expect(try Self.exported(path, profile) == ["m_model"], "\(target)")
  }

  private static func exported(_ path: String, _ profile: Profile) throws -> [String] {
    switch profile.format {
    case .elf:
      return try TestTool.run("llvm-readelf-22", ["--symbols", path]).split(separator: "\n")
        .filter {
          ($0.contains(" GLOBAL ") || $0.contains(" WEAK ")) && $0.contains(" DEFAULT ") && !$0.contains(" UND ")
        }
        .compactMap { $0.split(separator: " ").last.map(String.init) }
    case .macho:
      return try TestTool.run("llvm-nm-22", ["-m", "--defined-only", path]).split(separator: "\n")
        .filter { $0.contains(") external ") }
        .compactMap { $0.split(separator: " ").last.map { String($0.dropFirst()) } }
    case .wasm:
      return try TestTool.run("llvm-readobj-22", ["--symbols", path]).components(separatedBy: "Symbol {").dropFirst()
        .filter { !$0.contains("VISIBILITY_HIDDEN") && !$0.contains("BINDING_LOCAL") && !$0.contains("UNDEFINED") }
        .compactMap { text in
          text.split(separator: "\n").first { $0.contains("Name:") }?.split(separator: " ").last.map(String.init)
        }
    }
  }
}

/// Small random graphs that hold every op.
enum OpCover {
  /// Few ops in each, so that what is wrong is easily found; half of them take several vectors and tiles.
  static func options(_ seed: UInt64) -> RandomGraph.Options {
    var options = RandomGraph.Options()
    options.ops = 2...6
    options.packed = false
    options.large = seed % 2 == 1
    return options
  }

  /// Ops that the graphs above have and that lowering knows.
  static let ops: Set<String> = {
    var result: Set<String> = []
    for family in OpRegistry.families {
      for kind in family.kinds where LoweringCoverage.hasCode(kind) { result.formUnion(kind.mnemonics) }
    }
    return result
  }()

  /// Seeds in which every op comes at least so often.
  static func seeds(times: Int) -> [UInt64] {
    var missing = Dictionary(uniqueKeysWithValues: ops.map { ($0, times) })
    var chosen: [UInt64] = []
    for (seed, used) in candidates where used.contains(where: { missing[$0] != nil }) {
      chosen.append(seed)
      for op in used {
        guard let count = missing[op] else { continue }
        missing[op] = count > 1 ? count - 1 : nil
      }
    }
    return chosen
  }

  /// Graphs, with the ops in each, until every op has come three times.
  private static let candidates: [(seed: UInt64, ops: Set<String>)] = {
    var result: [(UInt64, Set<String>)] = []
    var missing = Dictionary(uniqueKeysWithValues: ops.map { ($0, 3) })
    var seed: UInt64 = 300_000
    while !missing.isEmpty, result.count < 20_000 {
      let graph = RandomGraph(seed: seed, options: options(seed))
      if let module = try? graph.module() {
        let used = mnemonics(of: module).intersection(ops)
        result.append((seed, used))
        for op in used { missing[op] = missing[op].flatMap { $0 > 1 ? $0 - 1 : nil } }
      }
      seed += 1
    }
    return result
  }()

  private static func mnemonics(of module: Module) -> Set<String> {
    var result: Set<String> = []
    for function in module.functions {
      for id in function.allOps() { result.insert(function[id].kind.mnemonic) }
    }
    return result
  }

  static func batch(for target: String, times: Int) -> RandomBatch {
    RandomBatch(seeds(times: times), target: target, options: options)
  }

  /// Says how much ran, and fails where an op is missing.
  static func report(_ batch: RandomBatch, _ target: String) {
    var counts: [String: Int] = [:]
    for graph in batch.graphs {
      for op in mnemonics(of: graph.original) { counts[op, default: 0] += 1 }
    }
    let missing = ops.filter { counts[$0] == nil }.sorted()
    #expect(missing == [], "\(target): no graph has these")
    let least = ops.map { counts[$0] ?? 0 }.min() ?? 0
    print("\(target): \(batch.graphs.count) graphs ran with \(ops.count) ops, each in \(least) of them or more")
  }
}
