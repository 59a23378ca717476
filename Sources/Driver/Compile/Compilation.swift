import Codegen
import CommandLineKit
import Formats
import Glibc
import IR
import Passes
import Support
import Targets

/// One model on its way through the phases.
public struct Compilation {
  public let options: CompileOptions
  public let profile: Profile
  /// Empty where the model came as a program.
  public private(set) var module: Module
  public private(set) var phase: Phase
  public private(set) var report = PassReport()
  /// The files that were read besides the model itself.
  public private(set) var sources: [String] = []
  /// The suffixes of the files that `build` wrote beside the artifact.
  public private(set) var companions: [String] = []
  /// Remarks of the frontend on what it mended or assumed.
  public private(set) var notes: [String] = []
  /// Seconds by phase.
  public private(set) var seconds: [(phase: String, seconds: Double)] = []
  /// What scheduling decided about memory, for `--explain`.
  public private(set) var memoryNotes: [String] = []
  /// The program as it was read, where the model came as one.
  private var given: ProgramFile?

  /// Reads the model.
  public init(_ path: String, _ options: CompileOptions) throws(Diagnostic) {
    self.options = options
    let clock = ContinuousClock()
    let start = clock.now
    if ProgramFile.isOne(path) || options.from > .fused {
      let file = try ProgramFile.read(path)
      profile = try Compilation.profile(of: file, path, options)
      module = Module(name: file.program.name)
      given = file
      sources = file.sources
      phase = .loops
      seconds.append(("read", (clock.now - start).inSeconds))
    } else {
      profile = try Profile.named(options.target)
      (module, notes, sources) = try ModelLoader.load(path, shapes: options.shapes)
      phase = options.from
      seconds.append(("read", (clock.now - start).inSeconds))
      try verifyAndDump()
    }
  }

  /// The machine a program is for: its kernels have that machine's tiles and cannot be for another.
  private static func profile(
    of file: ProgramFile, _ path: String, _ options: CompileOptions
  ) throws(Diagnostic) -> Profile {
    guard [.imported, .scheduled, .loops].contains(options.from) else {
      throw .usage("--from \(options.from.rawValue): \(path) is a program", hint: "--from loops")
    }
    guard options.shapes.isEmpty else {
      throw .usage("--shape: the shapes of a program are settled", hint: "give it when the program is made")
    }
    guard let target = file.origin?.target else { return try Profile.named(options.target) }
    let profile: Profile
    do throws(Diagnostic) { profile = try Profile.named(target) } catch {
      throw .invalid(error.message, at: Location(file: path), hint: error.hint)
    }
    if options.namesTarget, try Profile.named(options.target).name != profile.name {
      throw .usage("--target \(options.target): \(path) is for \(profile.name)")
    }
    return profile
  }

  /// Starts from a module in memory.
  public init(_ module: Module, _ options: CompileOptions) throws(Diagnostic) {
    self.options = options
    profile = try Profile.named(options.target)
    self.module = module
    phase = options.from
    try verifyAndDump()
  }

  /// Runs the passes that lead to `target`, phase by phase.
  public mutating func optimise(to target: Phase = .fused) throws(Diagnostic) {
    var stages: [(String, Module)] = options.html == nil ? [] : [("imported", module)]
    var fuel = options.fuel
    let clock = ContinuousClock()
    for next in Phase.allCases where next > phase && next <= target && next < .scheduled {
      let start = clock.now
      var manager = passManager(fuel: fuel)
      if options.html != nil { manager.after = { pass, module in stages.append((pass.name, module)) } }
      let step = try manager.run(Pipeline.passes(from: phase, to: next), on: &module)
      if let left = fuel { fuel = max(0, left - step.rewrites) }
      report.append(step)
      phase = next
      seconds.append((next.rawValue, (clock.now - start).inSeconds))
      try verifyAndDump()
    }
    if let page = options.html {
      try AtomicFile.write(Array(PassHTML.render(stages: stages.map { ($0.0, $0.1) }).utf8), to: page)
    }
  }

  /// Runs the passes behind which a graph is written as a model file.
  mutating func optimiseForExport() throws(Diagnostic) {
    try optimise(to: .canonical)
    let clock = ContinuousClock()
    let start = clock.now
    report.append(try passManager(fuel: options.fuel).run(Pipeline.exportSteps.map(\.pass), on: &module))
    seconds.append(("export", (clock.now - start).inSeconds))
    do throws(Diagnostic) { try Verifier.verify(module) } catch {
      throw .bug("after the passes for export: \(error.message)", at: error.location)
    }
  }

  private func passManager(fuel: Int?) -> PassManager {
    var manager = PassManager()
    manager.fuel = fuel
    manager.verifiesEach = options.verifiesEachPass
    manager.explains = options.explains
    manager.printAfter = options.printAfter
    manager.print = { name, module in
      StandardError.line("// after \(name)\n\(module.text())")
    }
    return manager
  }

  /// The program of the fused graph, or the one that was read.
  public mutating func schedule() throws(Diagnostic) -> Program {
    let program: Program
    if let given {
      program = given.program
    } else {
      try optimise()
      let clock = ContinuousClock()
      let start = clock.now
      program = try Scheduler.schedule(module, for: profile)
      memoryNotes = program.notes
      seconds.append((Phase.scheduled.rawValue, (clock.now - start).inSeconds))
      do throws(Diagnostic) { try program.verify() } catch {
        throw .bug("after phase scheduled: \(error.message)", at: error.location)
      }
    }
    if let folder = options.dump {
      try Compilation.write(program.description, to: "\(folder)/scheduled.txt")
      let loops = program.kernels.map(\.description).joined(separator: "\n")
      try Compilation.write(loops, to: "\(folder)/loops.txt")
    }
    return program
  }

  /// Writes the program, its kernels and its weights so that they can be read again.
  mutating func writeProgram(to output: String, sourceHash: String) throws(Diagnostic) {
    let program = try schedule()
    let origin = ProgramOrigin(target: profile.name, options: options.programText, sourceHash: sourceHash)
    try ProgramFile.write(program, given?.origin ?? origin, to: output, sources: sources)
  }

  /// Builds an artifact at `output`.
  public mutating func build(
    _ kind: ArtifactKind, name: String, sourceHash: String, to output: String, header: Bool = true,
    progress: @escaping @Sendable (Int, Int) -> Void = { _, _ in }
  ) throws(Diagnostic) {
    try Paths.checkWritable(output)
    let weightsPath = Paths.replacingExtension(of: output, with: "weights")
    if options.weightsInFile,
      sources.contains(where: { ArtifactStore.identity($0) == ArtifactStore.identity(weightsPath) })
    {
      throw .usage(
        "--weights file would overwrite \(weightsPath), which the model is read from", hint: "choose another output")
    }
    let cache = CacheFolder(options.cacheFolder)
    var builder = try builder(kind, name: name, sourceHash: sourceHash, cache)
    let clock = ContinuousClock()
    let start = clock.now
    builder.writesHeader = header
    builder.progress = progress
    companions = try builder.build(to: output)
    cache?.trim()
    seconds.append((Phase.artifact.rawValue, (clock.now - start).inSeconds))
  }

  /// Builds the model in memory, ready to run.
  mutating func load(name: String, sourceHash: String) throws(Diagnostic) -> MemoryArtifact {
    try MemoryArtifact(builder(.shared, name: name, sourceHash: sourceHash, CacheFolder(options.cacheFolder)))
  }

  private mutating func builder(
    _ kind: ArtifactKind, name: String, sourceHash: String, _ cache: CacheFolder?
  ) throws(Diagnostic) -> ArtifactBuilder {
    let program = try schedule()
    // An artifact made of a program's text is the one that was made of the model.
    let sourceHash = given?.origin?.sourceHash ?? sourceHash
    return ArtifactBuilder(
      program: program, profile: profile, name: name, kind: kind, optionsText: optionsText, sourceHash: sourceHash,
      maximumThreads: profile.hasThreads ? options.maximumThreads ?? profile.cores : 1,
      weightsInFile: options.weightsInFile, sysroot: options.sysroot, metadata: metadata(name, program, sourceHash),
      profiles: options.profiles, cacheFolder: cache)
  }

  /// The options that shaped the artifact, those of the program's making included.
  private var optionsText: String {
    guard let origin = given?.origin else { return options.text }
    return [origin.options, options.buildText].filter { !$0.isEmpty }.joined(separator: " ")
  }

  private func metadata(_ name: String, _ program: Program, _ sourceHash: String) -> String {
    func ports(_ ports: [Port]) -> JSON {
      .array(
        ports.map {
          .object([JSON.Member("name", .string($0.name)), JSON.Member("type", .string($0.value.description))])
        })
    }
    let entries = program.entries.map { entry in
      JSON.object([
        JSON.Member("name", .string(entry.name)), JSON.Member("inputs", ports(entry.inputs)),
        JSON.Member("outputs", ports(entry.outputs)),
        JSON.Member("multiply_adds", EntryWork(entry.body, program).json),
      ])
    }
    var members = [
      JSON.Member("name", .string(name)), JSON.Member("model", .string(program.name)),
      JSON.Member("compiler", .string("martlet \(martletVersion)")), JSON.Member("target", .string(profile.name)),
      JSON.Member("options", .string(optionsText)), JSON.Member("source_hash", .string(sourceHash)),
      JSON.Member("entries", .array(entries)), JSON.Member("kernels", .int(program.kernels.count)),
      JSON.Member("weights_bytes", .int(program.weightBytes)), JSON.Member("state_bytes", .int(program.stateBytes)),
    ]
    if options.profiles { members.append(JSON.Member("profile", StepMetadata.json(program, module))) }
    return JSON.object(members).description
  }

  private func verifyAndDump() throws(Diagnostic) {
    do throws(Diagnostic) { try Verifier.verify(module) } catch {
      // What a file says may be wrong; what our passes made may not.
      if phase == options.from { throw error }
      throw .bug("after phase \(phase.rawValue): \(error.message)", at: error.location)
    }
    guard let folder = options.dump else { return }
    try Paths.makeFolder(folder)
    try ModuleWriter.write(module, to: "\(folder)/\(phase.rawValue).mir")
  }

  private static func write(_ text: String, to path: String) throws(Diagnostic) {
    try Paths.makeFolder(Paths.folder(path))
    try AtomicFile.write(Array(text.utf8), to: path)
  }
}
