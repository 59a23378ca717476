import CommandLineKit
import Glibc
import IR
import Support

/// `martlet bench-worker`: the process that measures. It loads the artifact and nothing else of the model.
enum BenchWorker {
  static let peakKey = OptionKey<[String]>.list("peak", "NAME:WORK:FILE.so", "a peak kernel to measure as well")

  static let spec: CommandSpec = {
    var spec = CommandSpec(
      "bench-worker", "measure a shared library", positionals: [CommandSpec.Positional("ARTIFACT", "a library")],
      options: [
        RunKeys.entry.spec, RunKeys.input.spec, RunKeys.seconds.spec, RunKeys.outputDir.spec, CompileKeys.threads.spec,
        CompileKeys.shape.spec, CompileKeys.name.spec, CompileKeys.profile.spec, peakKey.spec,
      ],
      examples: [CommandSpec.Example("bench-worker m.so --input x=x.npy", "what `bench` runs itself")])
    spec.isHidden = true
    return spec
  }()

  static let command = Command(spec) { (arguments: Arguments) throws(Diagnostic) in
    let memoryBefore = ProcessMemory.startPeak()
    let start = BenchClock.now
    let artifact = try LoadedArtifact(path: arguments.positionals[0], name: arguments[CompileKeys.name])
    let context = try ArtifactContext(artifact, threads: arguments[CompileKeys.threads] ?? 0)
    let loadSeconds = BenchClock.now - start
    let number = try pickEntry(arguments[RunKeys.entry], among: artifact.entries)
    let entry = artifact.entries[number]
    let inputs = try InputSources(arguments, seed: nil).make(for: number, of: artifact.entries)
    let call = try ArtifactCall(context, entry: number, inputs)
    let profile = arguments[CompileKeys.profile] ? try ArtifactProfile(context) : nil

    var peaks: [PeakMeasurement] = []
    for text in arguments[peakKey] {
      let parts = text.split(separator: ":", maxSplits: 2).map(String.init)
      guard parts.count == 3, let work = Int(parts[1]) else { throw .usage("--peak \(text) is not understood") }
      peaks.append(
        try PeakMeasurement(
          name: parts[0], library: parts[2], work: work, threads: context.threads, model: artifact.model))
    }
    for peak in peaks { peak.measure() }
    let samples = try measure(call, seconds: arguments[RunKeys.seconds] ?? 2, profile)
    let memory = max(0, ProcessMemory.peak - memoryBefore)
    for peak in peaks { peak.measure() }
    if let folder = arguments[RunKeys.outputDir] {
      try TensorFiles.save(
        try TensorFiles.parts(zip(entry.outputs, try call.results()).map { ($0.name, $1) }), to: folder,
        list: "outputs.json")
    }
    var members = [
      JSON.Member("model", .string(artifact.name)), JSON.Member("entry", .string(entry.name)),
      JSON.Member("target", .string(artifact.target)), JSON.Member("threads", .int(context.threads)),
      JSON.Member("runs", .int(samples.count)), JSON.Member("ms", BenchTimes(samples).json),
      JSON.Member("load_ms", .number(loadSeconds * 1000)),
      JSON.Member("workspace_bytes", .int(context.workspaceBytes)),
      JSON.Member("weights_bytes", .int(artifact.weightsBytes)), JSON.Member("peak_rss_bytes", .int(memory)),
      JSON.Member("multiply_adds", work(artifact, number)),
      JSON.Member("peaks", .object(peaks.map { JSON.Member($0.name, .number($0.best)) })),
    ]
    if let profile {
      let best = Dictionary(peaks.map { ($0.name, $0.best) }, uniquingKeysWith: max)
      members.append(JSON.Member("profile", try profile.json(entry: number, peaks: best)))
    }
    StandardOutput.json(.object(members))
    return .success
  }

  /// Milliseconds of every run, after a tenth of the time, and at least two runs, to fault pages in and wake clocks up.
  private static func measure(_ call: ArtifactCall, seconds: Double, _ profile: ArtifactProfile?) throws(Diagnostic)
    -> [Double]
  {
    let start = BenchClock.now
    var warm = 0
    repeat {
      try call.run()
      warm += 1
    } while warm < 2 || BenchClock.now - start < seconds / 10
    try profile?.restart()
    var samples: [Double] = []
    samples.reserveCapacity(1 << 16)
    var before = BenchClock.now
    let end = before + seconds
    while samples.count < 3 || before < end, samples.count < 10_000_000 {
      try call.run()
      let after = BenchClock.now
      samples.append((after - before) * 1000)
      before = after
    }
    return samples
  }

  /// The multiply-adds of one run as the artifact tells them.
  private static func work(_ artifact: LoadedArtifact, _ number: Int) -> JSON {
    let metadata = try? JSON.parse(Array(artifact.metadata.utf8), file: artifact.path)
    guard let entries = metadata?["entries"]?.array, entries.indices.contains(number) else { return .null }
    return entries[number]["multiply_adds"] ?? .null
  }
}

/// Times of runs in milliseconds.
struct BenchTimes {
  var least: Double
  var median: Double
  var p90: Double

  init(_ samples: [Double]) {
    let sorted = samples.sorted()
    let count = sorted.count
    least = sorted.first ?? 0
    median = count == 0 ? 0 : (sorted[(count - 1) / 2] + sorted[count / 2]) / 2
    p90 = count == 0 ? 0 : sorted[(count * 9 + 9) / 10 - 1]
  }

  init?(_ json: JSON?) {
    guard let least = json?["min"]?.double, let median = json?["median"]?.double, let p90 = json?["p90"]?.double
    else { return nil }
    self.least = least
    self.median = median
    self.p90 = p90
  }

  var json: JSON {
    .object([
      JSON.Member("min", .number(least)), JSON.Member("median", .number(median)), JSON.Member("p90", .number(p90)),
    ])
  }

  /// Several rounds as one: the least of all, the medians of the others.
  static func combined(_ rounds: [BenchTimes]) -> BenchTimes {
    var result = BenchTimes(rounds.map(\.median))
    result.least = rounds.map(\.least).min() ?? 0
    result.p90 = BenchTimes(rounds.map(\.p90)).median
    return result
  }
}
