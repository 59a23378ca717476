import CMartlet
import Support

/// The counts that an artifact compiled with `--profile` keeps, read as times.
///
/// Artifacts count ticks of whatever clock their machine has; how long a tick is shows against the clock of this
/// process, over as long as the measurement takes.
final class ArtifactProfile {
  private let profile: UnsafePointer<martlet_profile>
  private let context: ArtifactContext
  private let steps: [JSON]
  private var start: (ticks: UInt64, seconds: Double)

  init(_ context: ArtifactContext) throws(Diagnostic) {
    let artifact = context.artifact
    guard let profile = artifact.profile else {
      throw .usage("\(artifact.path) measures no steps", hint: "compile it with --profile")
    }
    guard Int(profile.pointee.struct_size) >= MemoryLayout<martlet_profile>.size,
      Int(profile.pointee.count_size) >= MemoryLayout<martlet_step_count>.size,
      Int(profile.pointee.count) >= artifact.entries.count
    else { throw .unsupported("\(artifact.path) has a profile of another version", hint: "compile it again") }
    let metadata = try? JSON.parse(Array(artifact.metadata.utf8), file: artifact.path)
    let steps = metadata?["profile"]?.array ?? []
    guard steps.count == Int(profile.pointee.count) - artifact.entries.count else {
      throw .invalid(
        "its metadata describes \(steps.count) steps, its table another number", at: Location(file: artifact.path))
    }
    self.profile = profile
    self.context = context
    self.steps = steps
    start = (0, 0)
  }

  /// Forgets what was counted, and begins to time the clock.
  func restart() throws(Diagnostic) {
    guard context.clear(profile) else { throw .bug("a context in use cannot be cleared") }
    start = (profile.pointee.clock(), BenchClock.now)
  }

  /// What has been counted since, for one entry: times in milliseconds and work of one run, the longest step first.
  /// `peaks` are multiply-adds a second.
  func json(entry: Int, peaks: [String: Double]) throws(Diagnostic) -> JSON {
    let ticks = profile.pointee.clock() &- start.ticks
    let seconds = BenchClock.now - start.seconds
    guard ticks > 0, seconds > 0 else { throw .unsupported("this machine has no counter that artifacts can read") }
    let tick = seconds / Double(ticks) * 1000
    let whole = context.count(0 + entry, of: profile)
    let runs = max(1, Double(whole.calls))
    let milliseconds = Double(whole.ticks) * tick / runs
    var rows: [(ms: Double, json: JSON)] = []
    var attributed = 0.0
    for (number, step) in steps.enumerated() where step["entry"]?.int == entry {
      let count = context.count(context.artifact.entries.count + number, of: profile)
      guard count.calls > 0 else { continue }
      let ms = Double(count.ticks) * tick / runs
      attributed += ms
      rows.append((ms, row(step, count, runs: runs, ms: ms, share: milliseconds > 0 ? ms / milliseconds : 0, peaks)))
    }
    rows.sort { $0.ms > $1.ms }
    return .object([
      JSON.Member("entry", .string(context.artifact.entries[entry].name)),
      JSON.Member("runs", .int(Int(whole.calls))), JSON.Member("run_ms", .number(milliseconds)),
      JSON.Member("steps_ms", .number(attributed)),
      JSON.Member("unattributed_ms", .number(max(0, milliseconds - attributed))),
      JSON.Member("steps", .array(rows.map(\.json))),
    ])
  }

  private func row(
    _ step: JSON, _ count: martlet_step_count, runs: Double, ms: Double, share: Double, _ peaks: [String: Double]
  ) -> JSON {
    let work = Double(count.multiply_adds) / runs
    let bytes = Double(count.bytes) / runs
    let rate = ms > 0 && work > 0 ? 2 * work / ms / 1e6 : nil
    let peak = peaks[step["products"]?.string ?? ""].flatMap { $0 > 0 ? 2 * $0 / 1e9 : nil }
    func number(_ value: Double?) -> JSON { value.map { .number($0) } ?? .null }
    return .object([
      JSON.Member("names", step["names"] ?? .array([])), JSON.Member("kind", step["kind"] ?? .string("")),
      JSON.Member("kernel", step["kernel"] ?? .string("")), JSON.Member("calls", .int(Int(count.calls))),
      JSON.Member("calls_per_run", .number(Double(count.calls) / runs)), JSON.Member("ms", .number(ms)),
      JSON.Member("share", .number(share)), JSON.Member("multiply_adds", .number(work)),
      JSON.Member("bytes", .number(bytes)), JSON.Member("gflops", number(rate)),
      JSON.Member("gbytes_per_s", number(ms > 0 && bytes > 0 ? bytes / ms / 1e6 : nil)),
      JSON.Member("peak_share", number(rate.flatMap { rate in peak.map { rate / $0 } })),
    ])
  }
}
